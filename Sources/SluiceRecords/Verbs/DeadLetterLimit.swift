import Synchronization

/// The most records that may fail, for stages in which one batch takes long: looked at with each
/// record.
///
/// Such a stage counts its own failures only, and the run's commit all: so this never ends a run
/// that the commit would not.
final class DeadLetterLimit: Sendable {
    private let most: Int
    private let failed = Atomic(0)
    private let passed = Atomic(0)

    init(most: Int) {
        self.most = most
    }

    func pass() { passed.add(1, ordering: .relaxed) }

    func fail() throws(RunError) {
        let count = failed.add(1, ordering: .relaxed).newValue
        guard count > most else { return }
        throw .tooManyDeadLetters(count: count, read: count + passed.load(ordering: .relaxed), limit: "\(most)")
    }
}

extension RecordStage {
    /// Whether it may end the run before its input does.
    var mayHaveEnough: Bool {
        guard case .ordered(let step) = verb.makeStep(self) else { return false }
        return step.mayHaveEnough
    }
}
