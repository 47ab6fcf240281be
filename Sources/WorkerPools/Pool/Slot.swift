/// A worker's place in the pool; the index of the slot is the worker's name.
///
/// ```
/// vacant ──start──▶ called ──take──▶ running ──finish──▶ (take again, or)
///    ▲                ▲                 │  ▲                 │
///    │                └──wake── parked ◀┼──┼─────park────────┤
///    │                                 lend reclaim          │
///    │                                  ▼  │                 │
///    └──────────retire─────────────── (lent)  ◀──────────────┘
/// ```
struct Slot {
    enum Phase {
        /// No worker.
        case vacant
        /// Started or woken, and on its way to the queue.
        case called
        /// Waits for a wake-up.
        case parked(UnsafeContinuation<Void, Never>)
        /// Makes an attempt.
        case running
        /// Makes an attempt that waits for its own pool; its place in the limit is lent to others.
        case lent
    }

    /// What has become of the attempt under way.
    enum Verdict {
        case inTime
        /// Cancelled because its time was up; another attempt may follow when it has really ended.
        case expired
        /// Cancelled because its time was up, and the job's end is already made known.
        case overrun
        /// Cancelled by request.
        case cancelled
    }

    var phase = Phase.vacant
    var verdict = Verdict.inTime
    /// Tells one worker of this slot from the next.
    var generation: UInt64 = 0
    /// The number of the attempt that the job at this slot makes.
    var jobAttempt: Int32 = 0
    /// When the attempt's time is up; 0 for never. Nanoseconds of the pool's alarms.
    var deadline: UInt64 = 0
    /// The earliest alarm left for this slot; 0 for none. One alarm serves many attempts: an alarm that finds a later
    /// deadline leaves another one for then.
    var alarm: UInt64 = 0
    var record: JobRecord?
    /// The short jobs that the worker has taken together, if it has.
    var run: JobRun?
    /// When the worker took what it has now, by the machine's clock; 0 if it has nothing. For ``pace`` only.
    var since: UInt64 = 0
    /// How many jobs the worker may take at once: doubles while they prove short, falls to 1 when they do not.
    var pace: Int32 = 1
    var taken: Int32 = 0
    var worker: Task<Void, Never>?
    /// Identifies the worker's task, to tell a job that waits for its own pool from others.
    var identity = 0
}
