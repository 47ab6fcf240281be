import Synchronization

/// The limit of failed records, checked for each record, for stages in which a batch can take long.
///
/// Such a stage only counts its own failures, and compares them with all records that were read so
/// far, whereas the commit compares the failures of all stages with the records that are committed:
/// so this never ends a run that the commit would not end.
final class DeadLetterLimit: Sendable {
    private let limit: Limits.DeadLetters
    private let failed = Atomic(0)
    private let passed = Atomic(0)
    /// Records that were read; those that an earlier process committed, too.
    private let read = Atomic(0)
    /// Records that failed in an earlier process.
    private let failedBefore = Atomic(0)
    private let isAllRead = Atomic(false)

    init(_ limit: Limits.DeadLetters) {
        self.limit = limit
    }

    /// Continues with the counts of an unfinished run.
    func restore(read records: Int, failed: Int) {
        read.store(records, ordering: .relaxed)
        failedBefore.store(failed, ordering: .relaxed)
    }

    /// Counts records that were read.
    func read(_ records: Int) { read.add(records, ordering: .relaxed) }

    /// All records were read.
    func endReading() { isAllRead.store(true, ordering: .releasing) }

    func pass() { passed.add(1, ordering: .relaxed) }

    func fail() throws(RunError) {
        failed.add(1, ordering: .relaxed)
        if let exceeded { throw exceeded }
    }

    /// The error if more records have failed than may.
    var exceeded: RunError? {
        let own = failed.load(ordering: .relaxed)
        switch limit {
        case .count(let most):
            return own > most ? .tooManyDeadLetters(count: own, read: own + passed.load(ordering: .relaxed), limit: "\(most)") : nil
        case .share(let share):
            // A share means nothing as long as few records are read.
            let isKnown = isAllRead.load(ordering: .acquiring)
            let (all, count) = (read.load(ordering: .relaxed), own + failedBefore.load(ordering: .relaxed))
            guard isKnown || all >= Limits.recordsForShare, own > 0, Double(count) > share * Double(all) else { return nil }
            return .tooManyDeadLetters(count: count, read: all, limit: "\(share * 100) %")
        case .all: return nil
        }
    }
}

extension RecordStage {
    /// Whether the stage may end the run before the end of the input.
    var mayHaveEnough: Bool {
        guard case .ordered(let step) = verb.makeStep(self) else { return false }
        return step.mayHaveEnough
    }
}
