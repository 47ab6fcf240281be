import Sluice
import SluiceCEL

/// A split bound to columns for one layout of the records.
struct BoundSplit: Sendable {
    struct Branch: Sendable {
        /// `nil`: takes every record.
        let condition: BoundProgram?
        let stretch: BoundStretch
    }

    let site: StageSite
    let match: Routes.Match
    let branches: [Branch]

    /// The branches share the decoder's columns and those filled so far; each stage of a branch
    /// allocates new ones.
    init(_ split: PlannedSplit, _ binder: inout StageBinder, later: [Int: BoundSegment]) {
        let shape = binder.shape
        let fields = binder.fields
        site = StageSite(index: split.place, name: split.name, policy: .deadLetter, timeout: nil, fields: fields)
        match = split.match
        branches = split.branches.map { branch in
            binder.shape = shape
            let condition = branch.condition.map { BoundProgram($0, in: fields) }
            return Branch(condition: condition, stretch: BoundStretch(branch.flow, from: 0, &binder, later: later))
        }
    }

    /// Divides the rows of a batch among the branches. A row whose condition cannot be evaluated
    /// becomes a dead letter; one that no branch takes is filtered; each copy after the first is
    /// added.
    func run(_ batch: RecordBatch) throws(RunError) {
        var taken = Array(repeating: [UInt32](), count: branches.count)
        let conditions = branches.map { $0.condition?.evaluation(over: batch) }
        let received = batch.rows.count
        let deadBefore = batch.counts[site.index].dead
        var copies = 0
        var matches: [Int] = []
        try site.keep(in: batch) { (row) throws(RecordFailure) in
            matches.removeAll(keepingCapacity: true)
            for (index, evaluate) in conditions.enumerated() {
                if let evaluate, let condition = branches[index].condition {
                    guard let holds = evaluate.test(row) else { throw condition.failure(row, of: batch) }
                    if !holds { continue }
                }
                matches.append(index)
                if match == .first { break }
            }
            for index in matches { taken[index].append(UInt32(row)) }
            copies += max(0, matches.count - 1)
            return !matches.isEmpty
        }
        let passed = batch.rows.count
        batch.counts[site.index].in += received
        batch.counts[site.index].filtered += received - passed - (batch.counts[site.index].dead - deadBefore)
        batch.counts[site.index].added += copies
        batch.counts[site.index].out += passed + copies
        batch.divide(zip(branches, taken).filter { !$0.1.isEmpty }.map { ($0.0.stretch, $0.1) })
    }
}
