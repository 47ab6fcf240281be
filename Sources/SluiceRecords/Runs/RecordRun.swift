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
    let scratches: ScratchPool
    /// Set if the records were read by tasks.
    let gathered: GatheredTasks?
    /// Set once the run has begun, if it is sampled.
    let sampler = Locked<RunSampler?>(nil)
    let events: RunEvents?

    /// - Parameter gathered: the results of tasks that have read the inputs; `nil`: the run reads
    ///   them.
    package init(_ pipeline: RecordPipeline, options: RunOptions, gathering gathered: GatheredTasks? = nil) {
        self.pipeline = pipeline
        self.gathered = gathered
        events = options.logger.map { RunEvents(logger: $0) }
        allowance = RunThreads(workers: options.workers)
        var allowed = options
        allowed.workers = allowance.workers
        self.options = allowed
        plan = Plan(pipeline, folder: options.state, isGathering: gathered != nil)
        scratches = ScratchPool(most: 4 * allowance.workers + 8, room: pipeline.roomForValues)
        let returning = plan.stages.last { $0.settings.verb.returnsAll }
        meter = ProgressMeter(inputs: pipeline.source.inputs, places: plan.places.count, returning: returning?.place)
    }

    /// The progress of the run. May be read at any time and from any thread.
    package var progress: RunProgress { meter.all(finished: finished).progress }

    /// For each stage with workers of its own its place in the ledger, and the records that it has
    /// finished in this process.
    var finished: [(place: Int, records: Int)] {
        plan.stages.compactMap { stage in stage.ownWorkers.map { (place: stage.place, records: $0.answered) } }
    }

    /// Stops reading and finishes what is in flight. The run then ends as `interrupted`.
    package func drain() {
        if !progress.isDraining { events?.drains() }
        meter.drain()
        control.drain()
        stop.stop()
        for case .each(let step) in plan.stages.map(\.step) { step.drain() }
    }

    /// Runs to the end, publishes the outputs and writes `report.json` into the state folder.
    ///
    /// Returns for every end that a report can describe, including failure: check `status`. A run
    /// that failed or was interrupted publishes nothing, not even its dead letters, except as
    /// ``RunReport/publishing`` says.
    /// - Throws: ``RunError`` if the run could not begin, or the report could not be written.
    package func run() async throws(RunError) -> RunReport {
        defer { Fetcher.shared.endIdle() }
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
        if let discarded = state.discarded { note(discarded) }
        if let report = state.finished {
            note("an earlier run had ended before all its outputs were in place; they are published now")
            if !options.restarts { return report }
        }
        let checkpointing =
            canResume
            ? Checkpointing(
                state.checkpointFile, run: state.staging.run, pipeline, plan.folder, choosesWhenRead: plan.hasOrderedStage,
                interval: options.checkpointInterval, isResumed: state.checkpoint != nil) : nil
        plan.folder.sweep(keeping: state.checkpoint?.stageFiles ?? [])
        if canResume { plan.folder.keepFiles(of: state.checkpoint?.stageFiles ?? []) }
        let reading = InputReading(
            pipeline.source, memory: pipeline.limits.memory, mostRecords: pipeline.flow.mostRecords, options: options, resuming: state.checkpoint,
            isRead: gathered != nil, stop: stop, deadLetterLimit: plan.deadLetterLimit)
        // As they are now: what is appended from here on makes them new for the next run.
        let read = pipeline.source.newOnly.map { _ in pipeline.source.inputs.map { FilesRead.File($0) } }
        // Where gathering goes on with records, it decodes them.
        let types = if gathered != nil, plan.taskCut == .encoded { RunReport.InferredTypes?.none } else { try inferTypes(reading, options) }
        let commit = RunCommit(
            pipeline, plan, in: options.state, staging: state.staging, meter: meter, checkpointing: checkpointing, events: events,
            isGathering: gathered != nil
        ) { reading.summaries }
        let files = try begin(commit, state)
        events?.began(pipeline, workers: self.options.workers)
        isSuspended = false
        let encode = SinkStage(plan.sinks, letters: commit.letters, files: files, memory: pipeline.limits.memory)
        let sampler = makeSampler(state)
        self.sampler.withLock { $0 = sampler }
        sampler?.begin()
        let expecting = gathered == nil ? Task { [meter, pipeline] in await Self.expectText(of: pipeline.source.inputs, meter) } : nil
        defer { expecting?.cancel() }
        let end = await flow(reading, encode, commit, files, checkpointing, on: threads)
        await sampler?.end()
        reading.removeSpills()
        gathered?.removeSpills()
        await endSteps()
        threads.shutdown()
        let summaries = reading.summaries
        var report = RunReport(
            pipeline, plan, flow: end.report, writing: encode.busyTimes, ledger: commit.ledger, elapsed: ContinuousClock.now - start
        ) { index in
            if let gathered { (gathered.summary(of: index), gathered.ends(of: index)) } else { (summaries[index], reading.ends(of: index)) }
        }
        report.types = types ?? gathered?.types
        gathered?.add(to: &report.stages, of: plan)
        report.replay = pipeline.source.replay?.report
        isSuspended = try settle(end, commit, state, checkpointing, read, since: start, &report)
        sampler?.write(of: report.digest)
        events?.ended(report)
        return report
    }

    /// Finds out how much text there is to read. This opens each input, so if these are many, only
    /// in runs that take longer than a moment.
    private static func expectText(of inputs: [InputFile], _ meter: ProgressMeter) async {
        if inputs.count > 64 {
            do { try await Task.sleep(for: .milliseconds(800)) } catch { return }
        }
        meter.expect(ExpectedText.of(inputs))
    }

    /// Says something of how the run began to its user.
    private func note(_ text: String) {
        events?.noticed(text)
        options.notice?(text)
    }

    /// Records how the run goes on; `nil` if that is not wanted.
    private func makeSampler(_ state: StateFolder) -> RunSampler? {
        guard var samples = options.samples else { return nil }
        (samples.pipeline, samples.definition) = (pipeline.name, pipeline.definition)
        (samples.threads, samples.places) = (options.workers, plan.places.map(\.name))
        (samples.run, samples.began) = (state.staging.run, Date().timeIntervalSince1970)
        let now = progress
        samples.resumedAt = now.records > 0 ? now.records : nil
        samples.compressedTotal = now.compressedTotal.map { Int(clamping: $0) }
        let earlier = state.checkpoint.flatMap { _ in RunSamples(state: options.state) }
        return RunSampler(samples, after: earlier, folder: options.state) { [control, meter, plan] in
            let stages = plan.stages.compactMap { stage in stage.ownWorkers.map { (stage, $0) } }
            let own = stages.map { ($0.name, $1) }
            let finished = stages.map { (place: $0.place, records: $1.answered) }
            let (progress, books) = meter.all(finished: finished)
            return RunSampler.Reading(
                flow: control.snapshot, progress: progress, written: books.written, out: books.counts.map(\.out), dead: books.counts.map(\.dead),
                passed: meter.passed(books, finished: finished), own: Dictionary(own, uniquingKeysWith: { $1 }))
        }
    }

    /// Starts all threads that the run is going to need, as the system may refuse them later.
    func beginThreads() async throws(RunError) -> ThreadExecutor {
        if let refusal = allowance.refusal { throw refusal }
        if let notice = allowance.notice { note(notice) }
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
                file: input.path, records: sample.frames.count, fields: types.map(RunReport.InferredTypes.Field.init))
        } catch {
            throw .input(error)
        }
    }

    /// Checks the files of the run for conflicts before anything is read.
    private func begin(_ commit: RunCommit, _ state: StateFolder) throws(RunError) -> RunFiles {
        do throws(RunError) {
            if let conflict = try check({ (files) throws(InputError) in try files.conflict() }) { throw .files(conflict) }
            if let checkpoint = state.checkpoint { try resume(checkpoint, commit) }
            try gathered?.read(into: plan)
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
        note("resuming the unfinished run after \(checkpoint.ledger.inputs.reduce(0) { $0 + $1.records }) records")
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
            guard report.status != .interrupted else { return .interrupted(report) }
            do throws(RunError) {
                return try gathered?.giveFiles(to: commit, plan, files, until: stop) ?? true ? .complete(report) : .interrupted(report)
            } catch {
                return .failed(error, report)
            }
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
        var isPublished = false
        do throws(RunError) {
            switch end {
            case .complete:
                report.outputs = try commit.prepare()
                (report.deadLetters.bytes, report.deadLetters.sha256) = commit.deadLettersWritten
                let isDamaged = report.inputs.contains { !$0.damage.isEmpty }
                report.status = isDamaged || report.records.dead > 0 ? .losses : .complete
                report.elapsedSeconds = (ContinuousClock.now - start) / .seconds(1)
                let text = try ReportText(report)
                try publish(commit, state, report, text, reportFile, read)
                report.digest = text.digest
                isPublished = true
            case .interrupted(let flow):
                isSuspended = try suspend(commit, at: flow) || checkpointing?.isWritten == true
                if isSuspended { commit.leave() } else { commit.discard() }
                report.status = .interrupted
                report.resumable = isSuspended
            case .failed(let error, _):
                throw error
            }
        } catch .unpublished(let failure) {
            // The next run finishes the journal.
            commit.leave()
            isSuspended = true
            report.outputs = []
            (report.deadLetters.bytes, report.deadLetters.sha256) = (nil, nil)
            report.status = .failed
            report.publishing = RunReport.Publishing(done: failure.done, of: failure.of)
            report.error = RunError.unpublished(failure).description
        } catch {
            // What cannot be fetched now may be later.
            if case .input(.fetch(_, _, mayPass: true)) = error { isSuspended = checkpointing?.isWritten == true }
            if isSuspended { commit.leave() } else { commit.discard() }
            report.outputs = []
            (report.deadLetters.bytes, report.deadLetters.sha256) = (nil, nil)
            report.resumable = isSuspended ? true : nil
            report.status = error == .output(.closed) ? .interrupted : .failed
            report.outputClosed = error == .output(.closed) ? true : nil
            report.error = error.description
        }
        if !isPublished {
            report.elapsedSeconds = (ContinuousClock.now - start) / .seconds(1)
            try writeFailed(&report, to: reportFile, state)
        }
        // Only now, since without it the next process would not write the report.
        if !isSuspended { state.journal.remove() }
        return isSuspended
    }

    /// Writes a report of a run that has published nothing, or not all.
    ///
    /// - Throws: with the run's own error, which would be lost with the report.
    private func writeFailed(_ report: inout RunReport, to path: String, _ state: StateFolder) throws(RunError) {
        do throws(RunError) {
            let text = try ReportText(report)
            try RunReport.write(text, to: path, staging: state.staging)
            report.digest = text.digest
        } catch {
            guard case .report(let path, let reason) = error, let failure = report.error, failure != error.description else { throw error }
            throw .report(path: path, reason: "\(reason); the run had failed: \(failure)")
        }
    }

    /// Publishes the outputs, and then the report. A journal lets the next process finish if this
    /// one dies, or fails with some of them in place.
    ///
    /// - Parameters:
    ///   - text: the report as it is written.
    ///   - read: the inputs, if they are recorded; those that were read to their end are.
    private func publish(
        _ commit: RunCommit, _ state: StateFolder, _ report: RunReport, _ text: ReportText, _ reportFile: String, _ read: [FilesRead.File?]?
    ) throws(RunError) {
        let read = read.map { files in zip(files, report.inputs).compactMap { file, input in input.whole ? file : nil } }
        let moves = commit.moves
        let leftovers = commit.leftovers
        let staged: OutputSet
        do throws(OutputError) {
            // Before any output is in place, since the disk may be full.
            staged = try RunReport.staged(text, for: reportFile, state.staging)
            try state.journal.write(
                Journal(
                    folder: FileManager.default.currentDirectoryPath, moves: moves, report: text, reportFile: reportFile,
                    read: read))
        } catch {
            throw .output(error)
        }
        defer { staged.discard() }
        // From here on the run has ended and must not be resumed.
        state.checkpointFile.remove()
        do throws(PublishingFailure) {
            try commit.publish()
            do throws(OutputError) {
                if let read { try FilesRead.record(read, in: options.state) }
                _ = try staged.publish()
            } catch {
                throw PublishingFailure(error: error, done: moves.count, of: moves.count)
            }
        } catch {
            // Without their complete files, the next run could not publish them either.
            if error.isLost, error.done == 0 { throw .output(error.error) }
            throw .unpublished(error)
        }
        for path in plan.outputParts.flatMap(\.leftovers) {
            note("'\(path)' is not of this run: its outputs have fewer parts than those of an earlier one")
        }
        if let first = leftovers.first {
            let others = leftovers.count == 1 ? " is" : " and \(leftovers.count == 2 ? "1 other part" : "\(leftovers.count - 1) other parts") are"
            note("'\(first)'\(others) not of this run; remove what an earlier one has left before you read all parts")
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
}
