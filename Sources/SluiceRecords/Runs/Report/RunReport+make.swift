import SluiceCEL
import Sluice

extension RunReport {
    /// Makes the report of a run that has ended.
    ///
    /// - Parameters:
    ///   - flow: the report of the pipeline of batches, for workers and busy times.
    ///   - writing: for each sink, the time spent on writing its records.
    ///   - summaries: for each input, what was read; `nil` if it was not read to its end.
    init(
        _ pipeline: RecordPipeline, _ plan: Plan, flow: Report, writing: [Duration], ledger: Ledger, summaries: [InputSummary?], elapsed: Duration
    ) {
        self.init(
            libraries: Libraries(pipeline), framing: Framings(pipeline), pipeline: pipeline.name, definition: pipeline.definition, status: .complete,
            balanced: ledger.isBalanced,
            elapsedSeconds: elapsed / .seconds(1), records: ledger.records, inputs: [], stages: [], outputs: [],
            deadLetters: DeadLetters(
                file: pipeline.deadLetters, records: ledger.records.dead, byCode: ledger.codes,
                first: ledger.firsts.mapValues { first in
                    let file = first.failure.file ?? first.input.map { pipeline.source.inputs[$0].path }
                    return Failure(stage: first.failure.stage, message: first.failure.message, file: file, line: first.failure.line)
                }))
        // How far inputs were read after a stage had enough varies from run to run, so it is not
        // reported.
        let end = flow.enough.flatMap { $0.part < summaries.count ? ledger.end : nil }
        for (index, file) in pipeline.source.inputs.enumerated() {
            inputs.append(Input(file, ledger.inputs[index], summaries[index], lastOfRun: end, index: index))
        }
        let sinks = Dictionary(uniqueKeysWithValues: plan.sinks.map { ($0.place, $0.number) })
        for (index, place) in plan.places.enumerated() {
            let name = sinks[index] == nil ? place.name : SinkStage.name
            let flow = flow.stages.first { $0.name.isSame(as: name) }
            var stage = Stage(
                ledger.books.stages[index], verb: place.verb, flow, place.stage?.ownWorkers, timeouts: ledger.timeouts[index])
            stage.route = place.route
            if let before = place.before, before != index - 1 { stage.after = plan.places[before].name }
            if plan.sinks.count > 1, let number = sinks[index] { stage.busySeconds = writing[number] / .seconds(1) }
            place.stage?.note(in: &stage)
            self.stages.append(stage)
        }
    }
}

extension RunReport.Input {
    /// - Parameter end: the place where a stage had enough, if that was before the end of the
    ///   inputs.
    fileprivate init(
        _ file: InputFile, _ counts: Ledger.InputCounts, _ summary: InputSummary?,
        lastOfRun end: (input: Int, position: Position, compressedBytes: UInt64)?, index: Int
    ) {
        let isWhole = summary != nil && end.map { index < $0.input } ?? true
        let bytes = isWhole ? summary?.bytes : end.flatMap { $0.input == index ? $0.compressedBytes : nil }
        self.init(
            file: file.path, bytes: bytes ?? 0, members: isWhole ? summary?.members ?? 0 : 0, records: counts.records, written: counts.written,
            filtered: counts.filtered, dead: counts.dead, absorbed: counts.absorbed, added: counts.added,
            damage: counts.damage.map(RunReport.DamageRecord.init), whole: isWhole,
            archive: isWhole ? summary?.archive.map(RunReport.ArchiveContents.init) : nil,
            note: summary?.isPlainDespiteName == true ? "plain text despite its name; read as such" : nil)
    }
}

extension RunReport.Stage {
    fileprivate init(_ stage: Books.Stage, verb: String, _ flow: Report.Stage?, _ own: OwnWorkers?, timeouts: Int) {
        let counts = stage.counts
        let workers = RunReport.Workers(
            min: own?.range.lowerBound ?? flow?.workers.min ?? 1, max: own?.range.upperBound ?? flow?.workers.max ?? 1,
            peak: own?.peak ?? flow?.workers.peak ?? 1)
        self.init(
            name: stage.name, verb: verb, in: counts.in, out: counts.out, filtered: counts.filtered + counts.dropped, dead: counts.dead,
            absorbed: counts.absorbed, added: counts.added, dropped: counts.dropped, retries: own?.retries ?? 0,
            timeouts: own?.timeouts ?? timeouts, busySeconds: (own?.busy ?? flow?.busy ?? .zero) / .seconds(1), workers: workers)
    }
}
