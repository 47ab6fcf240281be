import Glibc
import Sluice
import Synchronization

/// Which batches the step of a closing stage has taken in, for checkpoints.
///
/// A step takes batches in any order, and ahead of the commit: at a checkpoint, its state contains
/// batches that are not committed yet. The checkpoint names them. The run that resumes from it
/// processes them once more, for their counts, their dead letters and the other routes, but the
/// step does not take them in again.
final class ClosingIntake: Sendable {
    /// A batch of an input.
    struct Place: Codable, Hashable, Comparable, Sendable {
        var input: Int
        var batch: Int

        static func < (left: Self, right: Self) -> Bool { (left.input, left.batch) < (right.input, right.batch) }
    }

    private struct State {
        var taken: Swift.Set<Place> = []
        var isClosed = false
    }

    let step: any ClosingStep
    /// Held by many while they take batches in, by one while it reads the state of the step.
    private let lock = SharedLock()
    private let state = Locked(State())

    init(_ step: any ClosingStep) {
        self.step = step
    }

    /// - Parameter isResumable: whether checkpoints are taken in the run.
    func take(_ part: RecordBatch, with stage: any ClosingStage, isResumable: Bool) throws(RunError) {
        guard isResumable, let input = part.input else { return try stage.take(part, isKnown: false) }
        let place = Place(input: input, batch: part.source.number)
        try lock.shared { () throws(RunError) in
            try stage.take(part, isKnown: state.withLock { $0.taken.contains(place) })
            _ = state.withLock { $0.taken.insert(place) }
        }
    }

    /// The step returns its results from here on, and has no state any more.
    func close() {
        lock.exclusive { state.withLock { $0.isClosed = true } }
    }

    var isClosed: Bool { state.withLock { $0.isClosed } }

    /// The state of the step, and the batches in it that come after the cut; `nil` once the step
    /// returns its results.
    func checkpoint(at cut: Checkpoint.Cut) throws(RunError) -> (state: StageState, ahead: [Place])? {
        try lock.exclusive { () throws(RunError) in
            let ahead = state.withLock { state -> [Place]? in
                guard !state.isClosed else { return nil }
                // What is committed is of no interest any more.
                state.taken = state.taken.filter { !cut.covers($0) }
                return state.taken.sorted()
            }
            guard let ahead else { return nil }
            return (try step.checkpoint(), ahead)
        }
    }

    /// Must be called before the first batch.
    func restore(_ saved: StageState, ahead: [Place]) throws(CheckpointError) {
        try step.merge(saved)
        state.withLock { $0.taken = Swift.Set(ahead) }
    }
}

extension Checkpoint.Cut {
    func covers(_ place: ClosingIntake.Place) -> Bool {
        place.input < input || place.input == input && place.batch < batches
    }
}

/// A lock that many may hold together, or one alone. A thread that wants it alone comes before
/// those that ask later.
///
/// `@unchecked Sendable`: pthread's lock is for many threads.
private final class SharedLock: @unchecked Sendable {
    private let lock = UnsafeMutablePointer<pthread_rwlock_t>.allocate(capacity: 1)

    init() {
        var attributes = pthread_rwlockattr_t()
        pthread_rwlockattr_init(&attributes)
        pthread_rwlockattr_setkind_np(&attributes, Int32(PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP))
        pthread_rwlock_init(lock, &attributes)
        pthread_rwlockattr_destroy(&attributes)
    }

    deinit {
        pthread_rwlock_destroy(lock)
        lock.deallocate()
    }

    func shared<Result>(_ body: () throws(RunError) -> Result) throws(RunError) -> Result {
        pthread_rwlock_rdlock(lock)
        defer { pthread_rwlock_unlock(lock) }
        return try body()
    }

    func exclusive<Result>(_ body: () throws(RunError) -> Result) throws(RunError) -> Result {
        pthread_rwlock_wrlock(lock)
        defer { pthread_rwlock_unlock(lock) }
        return try body()
    }

    func exclusive<Result>(_ body: () -> Result) -> Result {
        pthread_rwlock_wrlock(lock)
        defer { pthread_rwlock_unlock(lock) }
        return body()
    }
}
