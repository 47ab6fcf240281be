import SluiceCEL
import Sluice

extension RunReport {
    /// Makes the report of a run that has ended.
    ///
    /// - Parameters:
    ///   - flow: the report of the pipeline of batches, for workers and busy times.
    ///   - writing: for each sink, the time spent on writing its records.
    ///   - read: returns what was read of an input, `nil` if not to its end, and
    ///     ``InputStamp/ends``.
    init(
        _ pipeline: RecordPipeline, _ plan: Plan, flow: Report, writing: [Duration], ledger: Ledger, elapsed: Duration,
        read: (Int) -> (summary: InputSummary?, ends: DigestText?)
    ) {
        self.init(
            libraries: Libraries(pipeline), framing: Framings(pipeline), pipeline: pipeline.name, definition: pipeline.definition, status: .complete,
            balanced: ledger.isBalanced,
            elapsedSeconds: elapsed / .seconds(1), records: ledger.records, inputs: [], stages: [], outputs: [],
            deadLetters: DeadLetters(
                file: pipeline.deadLetters, records: ledger.records.dead, byCode: ledger.codes, first: Self.firsts(ledger.firsts, of: pipeline)))
        // How far inputs were read after a stage had enough varies from run to run, so it is not
        // reported.
        let hasEnough = flow.enough.map { $0.part < pipeline.source.inputs.count } ?? false
        inputs.reserveCapacity(pipeline.source.inputs.count)
        for (index, file) in pipeline.source.inputs.enumerated() {
            let (summary, ends) = read(index)
            let isBehind = hasEnough && ledger.end.map { index >= $0.input } ?? false
            let read = ledger.end.flatMap { $0.input == index ? $0.compressedBytes : nil }
            inputs.append(Input(file, ledger.inputs[index], isBehind ? nil : summary, readInPart: read, summary?.note))
            inputs[index].endsDigest = ends
        }
        let sinks = Dictionary(uniqueKeysWithValues: plan.sinks.map { ($0.place, $0.number) })
        for (index, place) in plan.places.enumerated() {
            var stage = Self.stage(at: index, of: plan, flow, ledger.books.stages[index].counts, timeouts: ledger.timeouts[index])
            if plan.sinks.count > 1, let number = sinks[index] { stage.busySeconds = writing[number] / .seconds(1) }
            place.stage?.note(in: &stage)
            self.stages.append(stage)
        }
    }

    /// What is known of a run that goes on: the books of what is committed. Inputs and outputs are
    /// not listed.
    init(_ pipeline: RecordPipeline, _ plan: Plan, now flow: Report, _ books: ProgressMeter.Books, elapsed: Double) {
        let counts = books.counts
        func total(_ count: KeyPath<StageCounts, Int>) -> Int { counts.reduce(0) { $0 + $1[keyPath: count] } }
        let records = Records(
            read: counts.first?.in ?? 0, written: books.written, filtered: total(\.filtered) + total(\.dropped), dead: total(\.dead),
            absorbed: total(\.absorbed), added: total(\.added))
        self.init(
            pipeline: pipeline.name, definition: pipeline.definition, status: .interrupted, balanced: true, elapsedSeconds: elapsed, records: records,
            inputs: [], stages: plan.places.indices.map { Self.stage(at: $0, of: plan, flow, counts[$0], timeouts: 0) }, outputs: [],
            deadLetters: DeadLetters(
                file: pipeline.deadLetters, records: records.dead, byCode: books.codes, first: Self.firsts(books.firsts, of: pipeline)))
    }

    private static func firsts(_ firsts: [String: LedgerState.First], of pipeline: RecordPipeline) -> [String: Failure] {
        firsts.mapValues { first in
            let file = first.failure.file ?? first.input.map { pipeline.source.inputs[$0].path }
            return Failure(stage: first.failure.stage, message: first.failure.message, file: file, line: first.failure.line)
        }
    }

    private static func stage(at index: Int, of plan: Plan, _ flow: Report, _ counts: StageCounts, timeouts: Int) -> Stage {
        let place = plan.places[index]
        let isSink = plan.sinks.contains { $0.place == index }
        let flow = flow.stages.first { $0.name.isSame(as: isSink ? SinkStage.name : place.name) }
        var stage = Stage(place.name, counts, verb: place.verb, flow, place.stage?.ownWorkers, timeouts: timeouts)
        stage.route = place.route
        if let before = place.before, before != index - 1 { stage.after = plan.places[before].name }
        return stage
    }
}

extension RunReport.Input {
    /// - Parameters:
    ///   - summary: `nil` if it was not read to its end.
    ///   - part: how much of it was read otherwise, in bytes.
    fileprivate init(_ file: InputFile, _ counts: Ledger.InputCounts, _ summary: InputSummary?, readInPart part: UInt64?, _ note: String?) {
        self.init(
            file: file.path, bytes: summary?.bytes ?? part ?? 0, members: summary?.members ?? 0, records: counts.records, written: counts.written,
            filtered: counts.filtered, dead: counts.dead, absorbed: counts.absorbed, added: counts.added,
            damage: counts.damage.map(RunReport.DamageRecord.init), whole: summary != nil, version: file.version,
            archive: summary?.archive.map(RunReport.ArchiveContents.init), note: note)
    }
}

extension RunReport.Stage {
    fileprivate init(_ name: String, _ counts: StageCounts, verb: String, _ flow: Report.Stage?, _ own: OwnWorkers?, timeouts: Int) {
        let workers = RunReport.Workers(
            min: own?.range.lowerBound ?? flow?.workers.min ?? 1, max: own?.range.upperBound ?? flow?.workers.max ?? 1,
            peak: own?.peak ?? flow?.workers.peak ?? 1)
        self.init(
            name: name, verb: verb, in: counts.in, out: counts.out, filtered: counts.filtered + counts.dropped, dead: counts.dead,
            absorbed: counts.absorbed, added: counts.added, dropped: counts.dropped, retries: own?.retries ?? 0,
            timeouts: own?.timeouts ?? timeouts, busySeconds: (own?.busy ?? flow?.busy ?? .zero) / .seconds(1), workers: workers)
    }
}
