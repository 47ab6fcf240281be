/// The books of a run: what came in, per input and per stage, and where it went.
struct Ledger: Sendable {
    /// One for the source, one for each stage, one for the sink.
    private(set) var stages: [StageCounts]
    /// For each input the counts of its records over all stages.
    private(set) var inputs: [InputCounts]
    private(set) var codes: [String: Int] = [:]

    struct InputCounts: Sendable, Equatable {
        var records = 0
        var written = 0
        var filtered = 0
        var dead = 0
        var damage: [Damage] = []
    }

    init(stages: Int, inputs: Int) {
        self.stages = Array(repeating: StageCounts(), count: stages)
        self.inputs = Array(repeating: InputCounts(), count: inputs)
    }

    mutating func add(_ batch: EncodedBatch) {
        for (index, counts) in batch.counts.enumerated() { stages[index] += counts }
        inputs[batch.input].records += batch.counts.first?.received ?? 0
        inputs[batch.input].written += batch.outputs.reduce(0) { $0 + $1.records }
        inputs[batch.input].filtered += batch.counts.reduce(0) { $0 + $1.filtered }
        inputs[batch.input].dead += batch.counts.reduce(0) { $0 + $1.dead }
        inputs[batch.input].damage += batch.damage
        codes.merge(batch.codes, uniquingKeysWith: +)
    }

    var records: RunReport.Records {
        RunReport.Records(
            read: inputs.reduce(0) { $0 + $1.records }, written: inputs.reduce(0) { $0 + $1.written },
            filtered: inputs.reduce(0) { $0 + $1.filtered }, dead: inputs.reduce(0) { $0 + $1.dead })
    }

    /// Every account on its own, each stage against the next, and the whole against the dead letters' codes.
    var isBalanced: Bool {
        let each = stages.allSatisfy { $0.received == $0.passed + $0.filtered + $0.dead }
        let chained = zip(stages, stages.dropFirst()).allSatisfy { $0.passed == $1.received }
        let perInput = inputs.allSatisfy { $0.records == $0.written + $0.filtered + $0.dead }
        let whole = records
        let ends = stages.first?.received == whole.read && stages.last?.passed == whole.written
        return each && chained && perInput && ends && codes.values.reduce(0, +) == whole.dead
    }
}
