import Sluice
import WorkerPools

extension RecordRun {
    /// Does one task of a plan: reads its inputs, takes the records through the stages, and keeps
    /// the encoded batches (or the records, see ``TaskCut``) and the states of the closing stages
    /// in the attempt's folder, for ``GatheredTasks``.
    ///
    /// - Returns: `nil` if the run was drained; nothing is committed then.
    package func run(_ attempt: TaskAttempt) async throws(RunError) -> (TaskResult, TaskAttempt.Outcome)? {
        defer { Fetcher.shared.endIdle() }
        let start = ContinuousClock.now
        let threads = try await beginThreads()
        try attempt.checkInputs()
        plan.folder.keepFiles(of: [])
        defer { plan.folder.retire() }
        let reading = InputReading(
            pipeline.source, memory: pipeline.limits.memory, mostRecords: pipeline.flow.mostRecords, options: options, stop: stop)
        let types = try inferTypes(reading, options)
        let files = try check { $0 }
        let letters = DeadLetterEncoder(
            pipeline: pipeline.name, definition: pipeline.definition, inputs: pipeline.source.inputs,
            codec: FileName(pipeline.deadLetters).codec)
        let encode = SinkStage(plan.sinks, letters: letters, files: files, memory: pipeline.limits.memory)
        let commit: TaskCommit
        do throws(OutputError) {
            commit = try TaskCommit(plan, inputs: pipeline.source.inputs.count, in: attempt.path, meter)
        } catch {
            throw .output(error)
        }
        let report: Report
        do throws(PipelineFailure) {
            let decoded = decoded(reading.parts(on: threads, mayEnd: plan.mayHaveEnough), reading, nil)
            switch plan.taskCut {
            case .encoded:
                let records = processed(decoded, plan.places.indices, nil, isTask: true)
                let divided = dividing(encoded(records, reading, encode, files), plan.outputPartsOfTasks, encode, nil)
                report = try await divided.window(elements: 4096, weight: reading.window).writing(to: commit).running(on: threads).run(control)
            case .before(let place):
                var records = processed(decoded, 0..<place, nil, isTask: true)
                if let stage = plan.stageAhead(of: place) { records = filtered(records, ahead: stage) }
                records = records.window(elements: 4096, weight: reading.window)
                let sink = RecordsCommit(commit, plan, letters) { [scratches] in $0.release(scratches: scratches, buffers: reading.buffers) }
                report = try await records.writing(to: sink).running(on: threads).run(control)
            }
        } catch {
            await endSteps()
            threads.shutdown()
            throw RunError(error.reason)
        }
        await endSteps()
        threads.shutdown()
        guard report.status != .interrupted else { return nil }
        reading.removeSpills(keeping: commit.spills)
        try attempt.checkInputs()
        let summaries = reading.summaries
        var whole = RunReport(
            pipeline, plan, flow: report, writing: encode.busyTimes, ledger: commit.ledger, elapsed: ContinuousClock.now - start
        ) { (summaries[$0], nil) }
        whole.types = types
        return try settle(attempt, commit, reading, whole)
    }

    /// Filters what a stage that gathering does will filter whatever it gathers.
    private func filtered(_ records: Pipeline<RecordBatch>, ahead stage: PlannedStage) -> Pipeline<RecordBatch> {
        records.inOrder(stage.name, state: (), onError: .stop) { _, batch in
            if let part = batch.part(in: stage.flow), case .ordered(let bound) = part.stretch.stage(stage.number) { try bound.runAhead(part) }
            return batch
        }
        .weighing { $0.weight }
    }

    private func settle(
        _ attempt: TaskAttempt, _ commit: TaskCommit, _ reading: InputReading, _ report: RunReport
    ) throws(RunError) -> (TaskResult, TaskAttempt.Outcome) {
        let leavesRecords = plan.taskCut != .encoded
        guard leavesRecords || commit.ledger.isBalanced else { throw .fault("the ledger of the task does not balance") }
        let summaries = reading.summaries.compactMap(\.self)
        guard summaries.count == attempt.inputs.inputs.count else { throw .fault("an input of the task was not read to its end") }
        var closing: [Checkpoint.StepState] = []
        for stage in plan.stages {
            guard !leavesRecords, case .closing(let step) = stage.step else { continue }
            closing.append(Checkpoint.StepState(stage: stage.name, state: try step.checkpoint()))
        }
        let held = closing.flatMap(\.held)
        for file in held { try file.sync() }
        if !held.isEmpty { plan.folder.sync() }
        let files: [TaskFile]
        do throws(OutputError) {
            files = try commit.endFiles()
            try commit.sync()
        } catch {
            throw .output(error)
        }
        let result = TaskResult(
            plan: attempt.plan.id, task: attempt.inputs.task, batches: commit.batches, bytes: commit.bytes,
            starts: leavesRecords ? [0] + commit.ends : nil, files: files.isEmpty ? nil : files, summaries: summaries, closing: closing,
            digests: closing.map { $0.state.withBytes { Digest.of($0) } },
            types: report.types, stages: report.stages, records: report.records, damagedInputs: report.inputs.count { !$0.damage.isEmpty },
            elapsedSeconds: report.elapsedSeconds)
        return (result, try attempt.commit(result))
    }
}
