/// A consistent snapshot of a pool, taken under its lock.
///
/// In every snapshot `accepted` equals the jobs in progress (``outstanding``) plus those with an
/// outcome (``finished``).
public struct PoolCounters: Sendable, Hashable {
    /// Jobs that the pool has taken responsibility for.
    public var accepted = 0
    /// Jobs refused with an error; they appear in no other figure.
    public var rejected = 0

    /// In the queue, or just ended by the pool and about to be counted as such.
    public var queued = 0
    /// Being run by a worker, within their time limit.
    public var running = 0
    /// Being run, but waiting for another job of the same pool, to which they lend their place.
    public var lent = 0
    /// Waiting for their next attempt; they hold no worker.
    public var retrying = 0
    /// Being run by their submitters (``FullQueuePolicy/runInCaller``).
    public var inCallers = 0

    /// Jobs that succeeded.
    public var done = 0
    /// Jobs whose last attempt threw.
    public var failed = 0
    /// Jobs whose last attempt exceeded its time.
    public var timedOut = 0
    /// Jobs cancelled before or while they ran.
    public var cancelled = 0
    /// Jobs dropped because the queue was full.
    public var dropped = 0

    /// Retries that were made or are waiting to be made (a job can have several).
    public var retried = 0
    /// Slots still held by attempts whose job has timed out for good.
    public var overrunning = 0
    /// Results that arrived after their attempt had timed out, and were discarded.
    public var late = 0
    /// Callbacks that threw.
    public var callbackFailures = 0

    /// The pool's size, now and at most.
    var size = Size()
    /// The current concurrency limit, and its highest value so far.
    public var workers: Int { size.limit }
    public var peakWorkers: Int { size.highestLimit }
    /// The most jobs that ever ran at once.
    public var peakRunning: Int { size.mostRunning }
    /// Submitters waiting for room.
    public var suspended = 0

    struct Size: Hashable {
        var limit = 0
        var highestLimit = 0
        var mostRunning = 0
    }

    public init() {}

    public var outstanding: Int { queued + running + lent + retrying + inCallers }
    public var finished: Int { done + failed + timedOut + cancelled + dropped }

    mutating func count(_ end: JobEnd) {
        switch end {
        case .done: done += 1
        case .stopped(.timedOut): timedOut += 1
        case .stopped(.cancelled): cancelled += 1
        case .stopped(.dropped): dropped += 1
        case .failed, .stopped(.closed), .stopped(.full): failed += 1
        }
    }
}
