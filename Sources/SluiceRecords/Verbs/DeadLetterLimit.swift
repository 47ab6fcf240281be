import Synchronization

/// The limit of failed records, checked for each record, for stages in which a batch can take long.
///
/// Such a stage only counts its own failures, whereas the commit counts those of the whole run: so
/// this never ends a run that the commit would not end.
final class DeadLetterLimit: Sendable {
    private let most: Int
    private let failed = Atomic(0)
    private let passed = Atomic(0)

    init(most: Int) {
        self.most = most
    }

    func pass() { passed.add(1, ordering: .relaxed) }

    func fail() throws(RunError) {
        failed.add(1, ordering: .relaxed)
        if let exceeded { throw exceeded }
    }

    /// The error if more records have failed than may.
    var exceeded: RunError? {
        let count = failed.load(ordering: .relaxed)
        guard count > most else { return nil }
        return .tooManyDeadLetters(count: count, read: count + passed.load(ordering: .relaxed), limit: "\(most)")
    }
}

extension RecordStage {
    /// Whether the stage may end the run before the end of the input.
    var mayHaveEnough: Bool {
        guard case .ordered(let step) = verb.makeStep(self) else { return false }
        return step.mayHaveEnough
    }
}
