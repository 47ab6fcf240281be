import Sluice
import Synchronization
import WorkerPools

/// The attempts of a stage that calls something else: repeated as its policy says, until the run is
/// ending.
final class Attempts: Sendable {
    /// The end of the attempts at one record.
    enum End<Answer: Sendable, Failure: Error>: Sendable {
        case answer(Answer)
        case failed(Failure, attempts: Int)
        /// The run is ending. What the record's answer would have been is not known.
        case abandoned(attempts: Int)
    }

    private let policy: RetryPolicy?
    private let ending = Atomic(false)
    private let repeated = Atomic(0)
    private let settled = Atomic(0)

    init(_ policy: RetryPolicy?) {
        self.policy = policy
    }

    /// Lets no further attempt begin.
    func end() { ending.store(true, ordering: .releasing) }

    var isEnding: Bool { ending.load(ordering: .acquiring) }

    /// The number of attempts after the first, over all records.
    var retries: Int { repeated.load(ordering: .relaxed) }

    /// The number of records with an answer, or a failure that is final.
    var answered: Int { settled.load(ordering: .relaxed) }

    /// - Parameters:
    ///   - isFinal: whether a failure is not worth another attempt.
    ///   - atLeast: how long to wait at least before the next attempt.
    ///   - attempt: returns `nil` if it was broken off.
    func run<Answer: Sendable, Failure: Error>(
        isFinal: (Failure) -> Bool, atLeast: (Failure) -> Duration = { _ in .zero }, _ attempt: () async -> Result<Answer, Failure>?
    ) async -> End<Answer, Failure> {
        var random = SystemRandomNumberGenerator()
        var made = 0
        while !isEnding, !Task.isCancelled {
            made += 1
            switch await attempt() {
            case nil: return .abandoned(attempts: made)
            case .success(let answer)?:
                settled.add(1, ordering: .relaxed)
                return .answer(answer)
            case .failure(let failure)?:
                guard let policy, made <= policy.times, !isFinal(failure) else {
                    settled.add(1, ordering: .relaxed)
                    return .failed(failure, attempts: made)
                }
                await pause(max(policy.delay(attempt: made, using: &random), atLeast(failure)))
                if !isEnding { repeated.add(1, ordering: .relaxed) }
            }
        }
        return .abandoned(attempts: made)
    }

    /// Waits, in short pieces, so that a run that is ending need not wait.
    private func pause(_ time: Duration) async {
        let end = ContinuousClock.now + time
        while !isEnding, ContinuousClock.now < end {
            do { try await Task.sleep(for: min(end - .now, .milliseconds(100))) } catch { return }
        }
    }
}
