import Sluice
import SluiceCEL

/// A split bound to columns for one layout of the records.
struct BoundSplit: Sendable {
    struct Branch: Sendable {
        /// `nil`: takes every record.
        let condition: BoundProgram?
        let stretch: BoundStretch
        /// Its places in the books.
        let places: ClosedRange<Int>
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
            return Branch(condition: condition, stretch: BoundStretch(branch.flow, from: 0, &binder, later: later), places: branch.flow.places)
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
        let replayed = batch.source.replayed
        try site.keep(in: batch) { (row) throws(RecordFailure) in
            matches.removeAll(keepingCapacity: true)
            let origin = replayed.flatMap { _ in branch(of: row, batch) }
            for (index, evaluate) in conditions.enumerated() {
                // The other copies of the record have gone their way in the run that refused this
                // one.
                if let origin, match == .all, index != origin { continue }
                if let evaluate, let condition = branches[index].condition {
                    guard let holds = evaluate.test(row) else { throw condition.failure(row, of: batch) }
                    if !holds { continue }
                }
                matches.append(index)
                if match == .first { break }
            }
            if let origin, let index = matches.first, index != origin { try replayed?.replay.targets.checkRoute(branches[index].places) }
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

    /// The branch that contains the stage which refused the row's record before.
    private func branch(of row: Int, _ batch: RecordBatch) -> Int? {
        guard let place = batch.source.replayed?.records[batch.origin(row)].place else { return nil }
        return branches.firstIndex { $0.places.contains(place) }
    }
}
