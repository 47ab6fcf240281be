import FoundationEssentials
import Sluice
import SluiceCEL
import Synchronization
import WorkerPools

/// One run of a pipeline of records: source, stages and sinks, on threads of its own.
package final class RecordRun: Sendable {
    let pipeline: RecordPipeline
    let options: RunOptions
    private let allowance: RunThreads
    let plan: Plan
    let control = RunControl()
    let stop = ReadingStop()
    let meter: ProgressMeter
    let scratches: FreeList<Scratch>
    /// Set if the records were read by tasks.
    private let gathered: GatheredTasks?

    /// - Parameter gathered: the results of tasks that have read the inputs; `nil`: the run reads
    ///   them.
    package init(_ pipeline: RecordPipeline, options: RunOptions, gathering gathered: GatheredTasks? = nil) {
        self.pipeline = pipeline
        self.gathered = gathered
        allowance = RunThreads(workers: options.workers)
        var allowed = options
        allowed.workers = allowance.workers
        self.options = allowed
        plan = Plan(pipeline, folder: options.state)
        scratches = FreeList(most: 4 * allowance.workers + 8)
        meter = ProgressMeter(inputs: pipeline.source.inputs, places: plan.places.count)
    }

    /// The progress of the run. May be read at any time and from any thread.
    package var progress: RunProgress { meter.now }

    /// Stops reading and finishes what is in flight. The run then ends as `interrupted`.
    package func drain() {
        meter.drain()
        control.drain()
        stop.stop()
        for case .each(let step) in plan.stages.map(\.step) { step.drain() }
    }

    /// Runs to the end, publishes the outputs and writes `report.json` into the state folder.
    ///
    /// Returns for every end that a report can describe, including failure: check `status`. A run
    /// that failed or was interrupted publishes nothing, not even its dead letters.
    /// - Throws: ``RunError`` if the run could not begin, or the report could not be written.
    package func run() async throws(RunError) -> RunReport {
        let start = ContinuousClock.now
        let threads = try await beginThreads()
        let canResume = gathered == nil && Checkpointing.canResume(pipeline, plan, limit: options.limit)
        let state = try StateFolder(options.state, pipeline, restarts: options.restarts, canResume: canResume)
        // Until this run has begun, an unfinished one stays as it is.
        var isSuspended = state.checkpoint != nil
        defer {
            plan.folder.retire()
            if !isSuspended { plan.folder.sweep(keeping: []) }
            if isSuspended { state.suspend() } else { state.end() }
        }
        if let report = state.finished, !options.restarts {
            options.notice?("an earlier run was killed while publishing its outputs; they are published now")
            return report
        }
        let checkpointing =
            canResume
            ? Checkpointing(
                state.checkpointFile, run: state.staging.run, pipeline, plan.folder, interval: options.checkpointInterval,
                isResumed: state.checkpoint != nil) : nil
        plan.folder.sweep(keeping: state.checkpoint?.stageFiles ?? [])
        if canResume { plan.folder.keepFiles(of: state.checkpoint?.stageFiles ?? []) }
        let reading = InputReading(
            pipeline.source, memory: pipeline.limits.memory, mostRecords: pipeline.flow.mostRecords, options: options, resuming: state.checkpoint,
            stop: stop)
        // As they are now: what is appended from here on makes them new for the next run.
        let read = pipeline.source.newOnly.map { _ in pipeline.source.inputs.map { FilesRead.File($0) } }
        // Where gathering goes on with records, it decodes them.
        let types = if let gathered, plan.taskCut == .encoded { gathered.types } else { try inferTypes(reading, options) }
        let commit = RunCommit(pipeline, plan, staging: state.staging, meter: meter, checkpointing: checkpointing) { reading.summaries }
        let files = try begin(commit, state)
        isSuspended = false
        let encode = SinkStage(plan.sinks, letters: commit.letters, files: files)
        let sampler = makeSampler()
        sampler?.begin()
        let end = await flow(reading, encode, commit, files, checkpointing, on: threads)
        await sampler?.end()
        reading.removeSpills()
        gathered?.removeSpills()
        await endSteps()
        threads.shutdown()
        var report = RunReport(
            pipeline, plan, flow: end.report, writing: encode.busyTimes, ledger: commit.ledger, summaries: gathered?.summaries ?? reading.summaries,
            elapsed: ContinuousClock.now - start)
        report.types = types
        gathered?.add(to: &report.stages, of: plan)
        for index in report.inputs.indices { report.inputs[index].ends = gathered?.ends[index] ?? reading.ends(of: index) }
        report.replay = pipeline.source.replay?.report
        isSuspended = try settle(end, commit, state, checkpointing, read, since: start, &report)
        sampler?.write(of: report.ownDigest)
        return report
    }

    /// Records how the run goes on; `nil` if that is not wanted.
    private func makeSampler() -> RunSampler? {
        guard var samples = options.samples else { return nil }
        (samples.pipeline, samples.definition) = (pipeline.name, pipeline.definition)
        (samples.threads, samples.places) = (options.workers, plan.places.map(\.name))
        samples.began = Date().timeIntervalSince1970
        let now = progress
        samples.resumedAt = now.records > 0 ? now.records : nil
        samples.compressedTotal = now.compressedTotal.map { Int(clamping: $0) }
        return RunSampler(samples, folder: options.state) { [control, meter, plan] in
            let own = plan.stages.compactMap { stage in stage.ownWorkers.map { (stage.name, $0) } }
            let (written, out) = meter.passed
            return RunSampler.Reading(
                flow: control.snapshot, progress: meter.now, written: written, out: out, own: Dictionary(own, uniquingKeysWith: { $1 }))
        }
    }

    /// Starts all threads that the run is going to need, as the system may refuse them later.
    func beginThreads() async throws(RunError) -> ThreadExecutor {
        if let refusal = allowance.refusal { throw refusal }
        if let notice = allowance.notice { options.notice?(notice) }
        let threads = ThreadExecutor(upTo: options.workers, name: "sluice")
        var isAllowed = WheelThread.start() && threads.threadCount > 0
        for case .each(let step) in plan.stages.map(\.step) where isAllowed { isAllowed = await step.begin() }
        if isAllowed { return threads }
        await endSteps()
        threads.shutdown()
        throw RunThreads.refusal
    }

    func endSteps() async {
        for case .each(let step) in plan.stages.map(\.step) { await step.end() }
    }

    /// Takes the types of fields from the first records of the first input, if the format asks for
    /// that.
    func inferTypes(_ reading: InputReading, _ options: RunOptions) throws(RunError) -> RunReport.InferredTypes? {
        // A replay takes the types that its dead letters were read with, and a task those of the
        // whole run.
        let original = pipeline.source.replay?.original ?? pipeline.source.firstInput.map { pipeline.source.reading([$0]) }
        guard let format = pipeline.source.format as? any InferringFormat, format.infersTypes, let input = (original ?? pipeline.source).inputs.first
        else { return nil }
        let reading = original.map { InputReading($0, memory: pipeline.limits.memory, options: options, stop: stop) } ?? reading
        guard original == nil || !input.isStandardInput else {
            throw .types("the types were inferred from standard input, which cannot be read again; name the types in 'types'")
        }
        do throws(InputError) {
            guard let sample = try reading.sample() else { return RunReport.InferredTypes(file: input.path, records: 0, fields: []) }
            let (inferred, types) = format.inferring(from: sample)
            plan.read(as: inferred)
            return RunReport.InferredTypes(
                file: input.path, records: sample.frames.count, fields: types.map { RunReport.InferredTypes.Field(name: $0.name, type: $0.type) })
        } catch {
            throw .input(error)
        }
    }

    /// Checks the files of the run for conflicts before anything is read.
    private func begin(_ commit: RunCommit, _ state: StateFolder) throws(RunError) -> RunFiles {
        do throws(RunError) {
            if let conflict = try check({ (files) throws(InputError) in try files.conflict() }) { throw .files(conflict) }
            if let checkpoint = state.checkpoint { try resume(checkpoint, commit) }
            try gathered?.merge(into: plan)
            // This creates the folder of the dead letters; with it in place, every path that leads
            // there can be resolved.
            try commit.begin()
            return try check { $0 }
        } catch {
            if state.checkpoint == nil { commit.discard() } else { commit.leave() }
            throw error
        }
    }

    private func resume(_ checkpoint: Checkpoint, _ commit: RunCommit) throws(RunError) {
        try plan.restore(checkpoint)
        try commit.restore(checkpoint)
        options.notice?("resuming the unfinished run after \(checkpoint.ledger.inputs.reduce(0) { $0 + $1.records }) records")
    }

    func check<Result>(_ body: (RunFiles) throws(InputError) -> Result) throws(RunError) -> Result {
        do throws(InputError) {
            return try body(RunFiles(pipeline, state: options.state, reportCopy: options.reportCopy))
        } catch {
            throw .input(error)
        }
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

    private func flow(
        _ reading: InputReading, _ encode: SinkStage, _ commit: RunCommit, _ files: RunFiles, _ checkpointing: Checkpointing?,
        on threads: ThreadExecutor
    ) async -> End {
        do throws(PipelineFailure) {
            let report = try await chain(reading, encode, commit, files, checkpointing, on: threads).measuringWaiting().running(on: threads).run(control)
            return report.status == .interrupted ? .interrupted(report) : .complete(report)
        } catch {
            return .failed(RunError(error.reason), error.report)
        }
    }

    /// Publishes, suspends or discards the outputs, and writes a report that says so.
    ///
    /// - Returns: whether the run is suspended, so that the next one can resume it.
    private func settle(
        _ end: End, _ commit: RunCommit, _ state: StateFolder, _ checkpointing: Checkpointing?, _ read: [FilesRead.File?]?,
        since start: ContinuousClock.Instant, _ report: inout RunReport
    ) throws(RunError) -> Bool {
        let reportFile = options.state + "/report.json"
        var isSuspended = false
        var json: [UInt8]?
        do throws(RunError) {
            switch end {
            case .complete:
                report.outputs = try commit.prepare()
                (report.deadLetters.bytes, report.deadLetters.sha256) = commit.deadLettersWritten
                let isDamaged = report.inputs.contains { !$0.damage.isEmpty }
                report.status = isDamaged || report.records.dead > 0 ? .losses : .complete
                report.elapsedSeconds = (ContinuousClock.now - start) / .seconds(1)
                let encoded = try report.json()
                try publish(commit, state, report, encoded, reportFile, read)
                json = encoded
            case .interrupted(let flow):
                isSuspended = try suspend(commit, at: flow) || checkpointing?.isWritten == true
                if isSuspended { commit.leave() } else { commit.discard() }
                report.status = .interrupted
                report.resumable = isSuspended
            case .failed(let error, _):
                throw error
            }
        } catch .unpublished(let error) {
            // The next run finishes the journal.
            commit.leave()
            isSuspended = true
            report.outputs = []
            report.status = .failed
            report.error = RunError.unpublished(error).description
        } catch {
            commit.discard()
            report.outputs = []
            (report.deadLetters.bytes, report.deadLetters.sha256) = (nil, nil)
            report.status = error == .output(.closed) ? .interrupted : .failed
            report.outputClosed = error == .output(.closed) ? true : nil
            report.error = error.description
        }
        if let json {
            try RunReport.write(json, to: reportFile, staging: state.staging)
        } else {
            report.elapsedSeconds = (ContinuousClock.now - start) / .seconds(1)
            try RunReport.write(report.json(), to: reportFile, staging: state.staging)
        }
        // Only now, since without it the next process would not write the report.
        if !isSuspended { state.journal.remove() }
        return isSuspended
    }

    /// Publishes the outputs. A journal lets the next process finish if this one dies.
    ///
    /// - Parameters:
    ///   - json: the report as it is written.
    ///   - read: the inputs, if they are recorded; those that were read to their end are.
    private func publish(
        _ commit: RunCommit, _ state: StateFolder, _ report: RunReport, _ json: [UInt8], _ reportFile: String, _ read: [FilesRead.File?]?
    ) throws(RunError) {
        let read = read.map { files in zip(files, report.inputs).compactMap { file, input in input.whole ? file : nil } }
        do throws(OutputError) {
            try state.journal.write(
                Journal(
                    folder: FileManager.default.currentDirectoryPath, moves: commit.moves, report: json, reportFile: reportFile,
                    read: read))
        } catch {
            throw .output(error)
        }
        // From here on the run has ended and must not be resumed.
        state.checkpointFile.remove()
        do throws(OutputError) {
            try commit.publish()
            if let read { try FilesRead.record(read, in: options.state) }
        } catch {
            throw .unpublished(error)
        }
        for path in plan.outputParts.flatMap(\.leftovers) {
            options.notice?("'\(path)' is not of this run: its outputs have fewer parts than those of an earlier one")
        }
    }

    /// Takes a checkpoint at the position where a drained run has stopped.
    ///
    /// - Returns: false if there is none; an earlier one is still valid.
    private func suspend(_ commit: RunCommit, at end: Report) throws(RunError) -> Bool {
        // If a stage gave batches up, an ordered stage before it has seen more than is committed.
        if end.abandoned != nil, plan.hasOrderedSteps { return false }
        var columns: [Int: [SinkCheckpoint.Columns]] = [:]
        for known in plan.outputColumns { columns[known.sink.number] = known.checkpoint }
        let parts = Dictionary(uniqueKeysWithValues: plan.outputParts.map { ($0.sink, $0.checkpoint) })
        let steps = try plan.stepStates()
        return try commit.checkpoint(steps: steps, columns: columns, parts: parts)
    }

    /// The path of the data from the first byte to the last.
    private func chain(
        _ source: InputReading, _ encode: SinkStage, _ commit: RunCommit, _ files: RunFiles, _ checkpointing: Checkpointing?,
        on threads: ThreadExecutor
    ) -> Pipeline<EncodedBatch> {
        let records: Pipeline<RecordBatch>
        if let gathered, case .before(let place) = plan.taskCut {
            // Tasks have taken the records to this place.
            records = processed(gathered.records(of: plan, scratches, source), place..<plan.places.endIndex, checkpointing)
        } else {
            // If there are tasks, they have read the inputs, and the only batches are results.
            let parts = gathered.map { _ in source.emptyParts } ?? source.parts(on: threads, mayEnd: plan.mayHaveEnough || options.limit != nil)
            records = processed(decoded(parts, source, checkpointing), plan.places.indices, checkpointing)
        }
        let encoded = encoded(records, source, encode, files)
        let divided = plan.outputParts.isEmpty ? encoded : dividing(encoded, encode, files, everyThread)
        let ordered = plan.isUnordered ? divided.unordered() : divided
        let taken = plan.sinks.reduce(ordered) { batches, sink in
            (sink.settings.sink as? ClosureSink)?.taking(batches, as: sink.number) ?? batches
        }
        let window = taken.window(elements: 4096, weight: source.window)
        guard let gathered, plan.taskCut == .encoded else { return window.writing(to: commit) }
        return window.writing(to: GatheringCommit(commit, gathered, plan, encode, files))
    }

    private var everyThread: Concurrency { Concurrency.within(1...options.workers) }

    /// The records as the source's format gives them.
    func decoded(_ parts: [Part<Batch>], _ source: InputReading, _ checkpointing: Checkpointing?) -> Pipeline<RecordBatch> {
        let decode = SourceStage(plan, scratches: scratches)
        return Pipeline.reading(parts: parts, concurrency: source.readers)
            .weighing { $0.bytes.capacity * 6 }
            .map(SourceStage.name, concurrency: everyThread, queue: 2, onError: .stop) { source in
                let batch = decode.decode(source)
                batch.takesCheckpoint = checkpointing?.wants() ?? false
                return batch
            }
            .weighing { $0.weight }
    }

    /// The records after the given places, which all are before the sinks. Where the records divide,
    /// a batch continues as parts, and each stage works on the part that is in its flow.
    ///
    /// - Parameter isTask: whether closing stages keep what they have taken in, for another process.
    func processed(
        _ decoded: Pipeline<RecordBatch>, _ places: Range<Int>, _ checkpointing: Checkpointing?, isTask: Bool = false
    ) -> Pipeline<RecordBatch> {
        var records = decoded
        if places.contains(0), let years = plan.years {
            records = records.inOrder(YearCount.name, state: (), onError: .stop) { _, batch in
                years.settle(batch)
                if batch.takesCheckpoint { batch.steps.append(Checkpoint.StepState(stage: YearCount.name, state: years.checkpoint)) }
                return batch
            }
            .weighing { $0.weight }
        }
        for place in places {
            if let stage = plan.places[place].stage { records = add(stage, to: records, checkpointing, isTask: isTask) }
            if let split = plan.splits.first(where: { $0.place == place }) { records = add(split, to: records, everyThread) }
        }
        return records
    }

    /// The bytes of the outputs.
    func encoded(_ records: Pipeline<RecordBatch>, _ source: InputReading, _ encode: SinkStage, _ files: RunFiles) -> Pipeline<EncodedBatch> {
        var records = records
        for columns in plan.outputColumns { records = settling(columns, records, files, everyThread) }
        return records.map(SinkStage.name, concurrency: everyThread, queue: 2, onError: .stop) { [scratches] batch in
            let encoded = try encode.encode(batch)
            batch.release(scratches: scratches, buffers: source.buffers)
            return encoded
        }
        .weighing { $0.weight }
    }

    /// Divides outputs into files, in the order of the input, and then compresses their text.
    private func dividing(
        _ encoded: Pipeline<EncodedBatch>, _ encode: SinkStage, _ files: RunFiles, _ workers: Concurrency
    ) -> Pipeline<EncodedBatch> {
        encoded.inOrder("\(SinkStage.name): parts", state: (), onError: .stop) { [parts = plan.outputParts] _, batch in
            var batch = batch
            for parts in parts { try parts.divide(&batch, files) }
            return batch
        }
        .map("\(SinkStage.name): blocks", concurrency: workers, queue: 2, onError: .stop) { encode.compressParts(of: $0) }
        .weighing { $0.weight }
    }

    /// Determines the columns of each output, in the order of the input, before records are
    /// encoded.
    private func settling(
        _ columns: OutputColumns, _ records: Pipeline<RecordBatch>, _ files: RunFiles, _ workers: Concurrency
    ) -> Pipeline<RecordBatch> {
        records.map("\(columns.sink.name): outputs", concurrency: workers, queue: 2, onError: .stop) { batch in
            try columns.route(batch, files)
            return batch
        }
        .inOrder("\(columns.sink.name): columns", state: (), onError: .stop) { _, batch in
            columns.settle(batch)
            if batch.takesCheckpoint { batch.columns[columns.sink.number] = columns.checkpoint }
            return batch
        }
        .weighing { $0.source.bytes.capacity * 6 }
    }

    private func add(_ split: PlannedSplit, to records: Pipeline<RecordBatch>, _ workers: Concurrency) -> Pipeline<RecordBatch> {
        records.map(split.name, concurrency: workers, queue: 2, onError: .stop) { batch in
            if let part = batch.part(in: split.flow), let bound = part.stretch.split { try bound.run(part) }
            return batch
        }
    }

    private func add(
        _ stage: PlannedStage, to records: Pipeline<RecordBatch>, _ checkpointing: Checkpointing?, isTask: Bool
    ) -> Pipeline<RecordBatch> {
        let number = stage.number
        let flow = stage.flow
        let name = stage.name
        let workers = Concurrency.within(stage.batches(threads: options.workers))
        let queue = stage.settings.pool.queue ?? 2
        switch stage.step {
        case .each:
            let changed = records.map(name, concurrency: workers, queue: queue, onError: .stop) { batch in
                guard let part = batch.part(in: flow), case .each(let bound) = part.stretch.stage(number) else { return batch }
                try await bound.run(part)
                return batch
            }
            return stage.givesNewBytes || stage.settings.verb.mostRecords != nil ? changed.weighing { $0.weight } : changed
        case .ordered(let step):
            return records.inOrder(
                name, state: (), onError: .stop,
                until: { _, batch in
                    var hasEnough = false
                    if let part = batch.part(in: flow), case .ordered(let bound) = part.stretch.stage(number) {
                        hasEnough = try bound.run(part) == .enough && stage.mayEndRun
                    }
                    if batch.takesCheckpoint {
                        batch.steps.append(Checkpoint.StepState(stage: name, state: try step.checkpoint()))
                    }
                    return hasEnough ? .last(batch) : .pass(batch)
                }
            ).weighing { $0.weight }
        case .closing(let step):
            let results = ResultBatches(of: step, stage, plan, scratches, most: min(ResultBatches.most, pipeline.flow.mostRecords))
            let (intake, isResumable) = (plan.intake(of: stage), checkpointing != nil)
            let taken = records.map(name, concurrency: workers, queue: queue, onError: .stop) { batch in
                guard let part = batch.part(in: flow), case .closing(let bound) = part.stretch.stage(number) else { return batch }
                try intake?.take(part, with: bound, isResumable: isResumable)
                return batch
            }
            if isTask { return taken.weighing { $0.weight } }
            return taken.appending("\(name): results") {
                intake?.close()
                return try results.next()
            }
            .weighing { $0.weight }
        }
    }
}
