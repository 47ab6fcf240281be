/// Why a pool did not take a job, or did not let it finish.
public enum PoolError: Error, Sendable, Hashable {
    /// The pool takes no more jobs: it is draining, cancelled or ended.
    case closed(pool: String)
    /// The queue is full and the pool's policy is to refuse.
    case full(pool: String, capacity: Int)
    /// The last allowed attempt took longer than its limit.
    case timedOut(pool: String, job: String?, limit: Duration, attempts: Int)
    /// The job was cancelled before it could finish.
    case cancelled(pool: String, job: String?)
    /// The job was dropped from a full queue in favour of a later one, or because it found the
    /// queue full.
    case dropped(pool: String, job: String?)
}

extension PoolError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .closed(let pool):
            "pool '\(pool)' takes no more jobs; submit before it is drained or cancelled"
        case .full(let pool, let capacity):
            "pool '\(pool)': the queue of \(capacity) is full; submit more slowly, raise `queue` or set `whenFull` to `.suspend`"
        case .timedOut(let pool, let job, let limit, let attempts):
            "pool '\(pool)': \(Self.title(job)) took longer than \(limit) (attempt \(attempts)); raise `timeout` or retry"
        case .cancelled(let pool, let job):
            "pool '\(pool)': \(Self.title(job)) was cancelled"
        case .dropped(let pool, let job):
            "pool '\(pool)': \(Self.title(job)) was dropped from a full queue; raise `queue` or set `whenFull` to `.suspend`"
        }
    }

    private static func title(_ job: String?) -> String { job.map { "job '\($0)'" } ?? "a job" }
}
