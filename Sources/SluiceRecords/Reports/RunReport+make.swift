import Sluice

extension RunReport {
    /// The report of a run that has ended.
    ///
    /// - Parameters:
    ///   - flow: what the pipeline of batches says: workers and busy times.
    ///   - summaries: what was read of each input; `nil` where it was not read to its end.
    init(
        _ pipeline: RecordPipeline, stages: [any BatchStage], flow: Report, ledger: Ledger, summaries: [InputSummary?], elapsed: Duration
    ) {
        self.init(
            libraries: Libraries(pipeline), pipeline: pipeline.name, definition: pipeline.definition, status: .complete, balanced: ledger.isBalanced,
            elapsedSeconds: elapsed / .seconds(1), records: ledger.records, inputs: [], stages: [], outputs: [],
            deadLetters: DeadLetters(file: pipeline.deadLetters, records: ledger.records.dead, byCode: ledger.codes))
        inputs = zip(pipeline.source.inputs, zip(ledger.inputs, summaries)).map { file, read in
            let (counts, summary) = read
            return Input(
                file: file.path, bytes: summary?.bytes ?? 0, members: summary?.members ?? 0, records: counts.records,
                written: counts.written, filtered: counts.filtered, dead: counts.dead,
                damage: counts.damage.map(DamageRecord.init), whole: summary != nil)
        }
        let verbs = [pipeline.source.format.name.rawValue] + pipeline.stages.map(\.verb.name) + ["write"]
        let own = [nil] + stages.map(\.ownWorkers) + [nil]
        for (index, counts) in ledger.stages.enumerated() where index < flow.stages.count {
            self.stages.append(Stage(flow.stages[index], verb: verbs[index], counts, own[index]))
        }
    }
}

extension RunReport.Stage {
    fileprivate init(_ flow: Report.Stage, verb: String, _ counts: StageCounts, _ own: OwnWorkers?) {
        self.init(
            name: flow.name, verb: verb, in: counts.received, out: counts.passed, filtered: counts.filtered, dead: counts.dead,
            dropped: counts.dropped, retries: own?.retries ?? 0, timeouts: own?.timeouts ?? counts.timeouts,
            busySeconds: (own?.busy ?? flow.busy) / .seconds(1),
            workers: RunReport.Workers(
                min: own?.range.lowerBound ?? flow.workers.min, max: own?.range.upperBound ?? flow.workers.max,
                peak: own?.peak ?? flow.workers.peak))
    }
}
