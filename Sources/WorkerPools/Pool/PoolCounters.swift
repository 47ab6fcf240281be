/// One consistent look at a pool, taken under its lock.
///
/// In every snapshot `accepted` is the sum of the jobs on their way (``outstanding``) and of those with an outcome
/// (``finished``).
public struct PoolCounters: Sendable, Hashable {
    /// Jobs that the pool has taken responsibility for.
    public var accepted = 0
    /// Jobs refused with an error; they are in no other figure.
    public var rejected = 0

    /// In the queue.
    public var queued = 0
    /// Being run by a worker, within time.
    public var running = 0
    /// Being run, but waiting for another job of the same pool; their slot is lent to it.
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
    /// Jobs pushed out of a full queue.
    public var dropped = 0

    /// Further attempts that were made or wait for their time (a job can have several).
    public var retried = 0
    /// Slots still held by attempts that have timed out for good and have not ended yet.
    public var overrunning = 0
    /// Results that came after their attempt had timed out, and were thrown away.
    public var late = 0
    /// Callbacks that threw.
    public var callbackFailures = 0

    /// The concurrency limit as it stands, and its highest value so far.
    public var workers = 0
    public var peakWorkers = 0
    /// The most jobs that were ever run at once.
    public var peakRunning = 0
    /// Submitters that wait for room.
    public var suspended = 0

    public init() {}

    public var outstanding: Int { queued + running + lent + retrying + inCallers }
    public var finished: Int { done + failed + timedOut + cancelled + dropped }
}
