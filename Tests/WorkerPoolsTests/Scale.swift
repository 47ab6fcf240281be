import Foundation
import Synchronization
import Testing
import WorkerPools

/// How much work the proofs do: what a normal test run can afford, or, with `SLUICE_FULL_SCALE=1`,
/// what was promised.
enum Scale {
    static let isFull = ProcessInfo.processInfo.environment["SLUICE_FULL_SCALE"] == "1"

    /// How long a test may take before it counts as hanging.
    static var timeLimit: TimeLimitTrait.Duration { .minutes(isFull ? 30 : 2) }

    static func rounds(_ usual: Int, full: Int) -> Int { isFull ? full : usual }
}

/// Counts how often the tasks on it become runnable: a task that waits without polling does so
/// twice, to go to sleep and to continue.
final class CountingExecutor: TaskExecutor {
    private let queue = DispatchQueue(label: "counting")
    private let count = Atomic(0)

    var enqueued: Int { count.load(ordering: .relaxed) }

    func enqueue(_ job: consuming ExecutorJob) {
        count.add(1, ordering: .relaxed)
        let job = UnownedJob(job)
        let executor = asUnownedTaskExecutor()
        queue.async { job.runSynchronously(on: executor) }
    }
}

/// A count that closures can share.
final class Tally: Sendable {
    private let count = Atomic(0)

    var value: Int { count.load(ordering: .sequentiallyConsistent) }

    func add() { count.add(1, ordering: .sequentiallyConsistent) }
    func next() -> Int { count.add(1, ordering: .sequentiallyConsistent).newValue }
}

/// Counts live instances, and the most there have ever been.
final class InstanceCounter: Sendable {
    private let live = Gauge()

    var now: Int { live.now }
    var peak: Int { live.peak }

    /// Something for a job to capture, alive for as long as the job's closure.
    final class Instance: Sendable {
        private let counter: InstanceCounter

        init(of counter: InstanceCounter) {
            self.counter = counter
            counter.live.enter()
        }

        deinit { counter.live.leave() }

        func touch() {}
    }
}

/// How a job can end.
enum Outcome: Hashable, CaseIterable {
    case done, failed, timedOut, cancelled, dropped

    init<Value, Failure: Error>(_ result: Result<Value, JobFailure<Failure>>) {
        switch result {
        case .success: self = .done
        case .failure(.failed): self = .failed
        case .failure(.stopped(let error)): self.init(error)
        }
    }

    init(_ error: any Error) {
        switch error as? PoolError {
        case .timedOut: self = .timedOut
        case .cancelled: self = .cancelled
        case .dropped: self = .dropped
        case .closed, .full, nil: self = .failed
        }
    }
}

extension PoolCounters {
    subscript(outcome: Outcome) -> Int {
        switch outcome {
        case .done: done
        case .failed: failed
        case .timedOut: timedOut
        case .cancelled: cancelled
        case .dropped: dropped
        }
    }

    /// Whether every job is counted in one place, and no count is negative.
    var addUp: Bool {
        accepted == outstanding + finished
            && [queued, running, lent, retrying, inCallers, overrunning, suspended].allSatisfy { $0 >= 0 }
    }
}
