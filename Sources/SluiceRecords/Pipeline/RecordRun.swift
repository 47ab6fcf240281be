import Sluice
import SluiceCEL
import Synchronization
import WorkerPools

/// One run of a pipeline of records: source, stages, sink, on threads of its own.
public final class RecordRun: Sendable {
    private let pipeline: RecordPipeline
    private let options: RunOptions
    private let plan: Plan
    private let control = RunControl()
    private let meter: ProgressMeter

    public init(_ pipeline: RecordPipeline, options: RunOptions) {
        self.pipeline = pipeline
        self.options = options
        plan = Plan(pipeline)
        meter = ProgressMeter(inputs: pipeline.source.inputs)
    }

    /// How far the run has come, at any time and from any thread.
    public var progress: RunProgress { meter.now }

    /// Stops reading; what is in flight is finished. The run then ends as `interrupted`.
    public func drain() {
        meter.drain()
        control.drain()
    }

    /// Runs to the end, publishes the outputs, writes `report.json` into the state folder.
    ///
    /// Returns for every end that a report can describe, also a failed one: look at `status`. A run that failed or was interrupted has
    /// published nothing, its dead letters neither.
    /// - Throws: ``RunError`` where the run could not begin, or not even a report could be written.
    public func run() async throws(RunError) -> RunReport {
        let start = ContinuousClock.now
        try RunReport.prepare(folder: options.state)
        let threads = ThreadExecutor(threads: options.workers, name: "sluice")
        let commit = RunCommit(pipeline, places: plan.stages.count + 2, meter: meter)
        let reading = InputReading(pipeline.source, memory: pipeline.limits.memory, options: options)
        let end = await flow(reading, commit, on: threads)
        for stage in plan.stages { await stage.end() }
        threads.shutdown()
        var report = RunReport(
            pipeline, stages: plan.stages, flow: end.report, ledger: commit.ledger, summaries: reading.summaries,
            elapsed: ContinuousClock.now - start)
        settle(end, commit, &report)
        report.elapsedSeconds = (ContinuousClock.now - start) / .seconds(1)
        try report.write(toFolder: options.state)
        return report
    }

    private enum End {
        case complete(Report)
        case interrupted(Report)
        case failed(RunError, Report)

        var report: Report {
            switch self {
            case .complete(let report), .interrupted(let report), .failed(_, let report): report
            }
        }
    }

    private func flow(_ reading: InputReading, _ commit: RunCommit, on threads: ThreadExecutor) async -> End {
        do throws(PipelineFailure) {
            let report = try await chain(reading, commit).running(on: threads).run(control)
            return report.status == .interrupted ? .interrupted(report) : .complete(report)
        } catch {
            return .failed(RunError(error.reason), error.report)
        }
    }

    /// Publishes or discards, and says so in the report.
    private func settle(_ end: End, _ commit: RunCommit, _ report: inout RunReport) {
        do throws(RunError) {
            switch end {
            case .complete:
                report.outputs = try commit.publish()
                let isDamaged = report.inputs.contains { !$0.damage.isEmpty }
                report.status = isDamaged || report.records.dead > 0 ? .losses : .complete
            case .interrupted:
                commit.discard()
                report.status = .interrupted
            case .failed(let error, _):
                throw error
            }
        } catch {
            commit.discard()
            report.status = error == .output(.closed) ? .interrupted : .failed
            report.outputClosed = error == .output(.closed) ? true : nil
            report.error = error.description
        }
    }

    /// The way of the data, from the first byte to the last.
    private func chain(_ source: InputReading, _ commit: RunCommit) -> Pipeline<EncodedBatch> {
        let scratches = FreeList<Scratch>(most: 4 * options.workers + 8)
        let decode = SourceStage(plan.source, scratches: scratches, places: plan.stages.count + 2)
        let sinkSite = StageSite(index: plan.stages.count + 1, name: "sink", policy: .deadLetter, timeout: nil, fields: plan.output)
        let encode = SinkStage(site: sinkSite, sink: pipeline.sink, path: plan.path, letters: commit.letters)
        let everyThread = Concurrency.within(1...options.workers)

        var records = Pipeline.reading(parts: source.parts, concurrency: source.readers)
            .weighing { $0.bytes.capacity * 6 }
            .map(SourceStage.name, concurrency: everyThread, queue: 2, onError: .stop) { decode.decode($0) }
        for (stage, settings) in zip(plan.stages, pipeline.stages) {
            let workers = stage.batches(settings.pool, threads: options.workers)
            records = records.map(
                stage.site.name, concurrency: .within(workers), queue: settings.pool.queue ?? 2, onError: .stop
            ) { batch in
                try await stage.run(batch)
                return batch
            }
        }
        let encoded = records.map("sink", concurrency: everyThread, queue: 2, onError: .stop) { batch in
            let encoded = try encode.encode(batch)
            batch.release(scratches: scratches, buffers: source.buffers)
            return encoded
        }
        .weighing { $0.weight }
        let ordered = pipeline.sink.order == .any ? encoded.unordered() : encoded
        return ordered.window(elements: 4096, weight: source.window).writing(to: commit)
    }
}
