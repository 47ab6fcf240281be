import Sluice

// A batch that a task has left is one file's word for what became of its records. Whatever later
// stages count is added to these books, so they must be right in themselves.

extension RecordBatch {
    /// Whether this can be a batch of records that a task has left, before the place in the books
    /// where the tasks end.
    ///
    /// The counts of each place balance; and where a stage may end the run, what became of each
    /// record agrees with them.
    func isPossible(in plan: Plan, endingBefore place: Int) -> Bool {
        counts[0].in == source.frames.count + source.spilled.count
            && deadLetters.count == counts.reduce(0) { $0 + $1.dead }
            && areCountsPossible(in: plan, leftAt: plan.places[place].before ?? place)
            && areRowsInOrder && source.spilled.allSatisfy { $0.beforeFrame <= source.frames.count }
            && (fates != nil) == plan.mayHaveEnough && areFatesPossible
    }

    /// Whether those that left a place and entered no other are the ones that are left.
    private func areCountsPossible(in plan: Plan, leftAt last: Int) -> Bool {
        guard counts.allSatisfy({ $0.open == 0 }) else { return false }
        var after = counts.map(\.out)
        for (place, counts) in zip(plan.places, counts) {
            if let before = place.before { after[before] -= counts.in }
        }
        return after.indices.allSatisfy { after[$0] == ($0 == last ? rows.count : 0) }
    }

    private var areRowsInOrder: Bool {
        zip(rows, rows.dropFirst()).allSatisfy { $0 < $1 && origin(Int($0)) <= origin(Int($1)) }
    }

    /// Whether the fates are those that the stages counted, none is that of a record that was gone
    /// already, and what they leave of each record is there.
    private var areFatesPossible: Bool {
        guard let fates else { return true }
        var counted = Array(repeating: StageCounts(), count: counts.count)
        var (left, dead) = (Array(repeating: 1, count: source.frames.count) + [0], Array(repeating: 0, count: source.frames.count + 1))
        for record in source.spilled { left[record.beforeFrame] += 1 }
        // Further records are added before any of them is gone.
        for fate in fates.sorted(by: { ($0.stage, $0.kind == .added ? 0 : 1) < ($1.stage, $1.kind == .added ? 0 : 1) }) {
            let (stage, frame, count) = (Int(fate.stage), Int(fate.frame), Int(fate.count))
            guard frame <= source.frames.count else { return false }
            counted[stage].add(fate)
            if fate.kind == .dead { dead[frame] += count }
            left[frame] += fate.kind == .added ? count : -count
            guard left[frame] >= 0 else { return false }
        }
        for row in rows { left[origin(Int(row))] -= 1 }
        for case let letter as RefusedRecord in deadLetters.map(\.element) { dead[letter.frame] -= 1 }
        return left.allSatisfy { $0 == 0 } && dead.allSatisfy { $0 == 0 }
            && zip(counts, counted).allSatisfy { ($0.filtered, $0.dropped, $0.dead, $0.added) == ($1.filtered, $1.dropped, $1.dead, $1.added) }
    }
}
