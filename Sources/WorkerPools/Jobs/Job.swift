import Synchronization

/// An entry of the queue.
struct Job {
    /// What an attempt does. A closure also where there is a record, instead of a method that its kinds override, because a
    /// method of a generic class asks the runtime for its types each time.
    var body: @Sendable () async throws -> Void
    /// For a job that somebody can name: it has a handle, options, a group or a callback. None costs no allocation.
    var record: JobRecord?
    /// The number of the attempt that comes next or is under way; the first is 1.
    var attempt: Int32 = 1
    var level: UInt8
}

/// How a job ended. Each accepted job has exactly one.
@usableFromInline
enum JobEnd: Sendable {
    case done
    case failed(any Error)
    /// The pool ended it: too late, cancelled or dropped.
    case stopped(PoolError)
}

/// What is known of a job beyond its closure.
///
/// In a run a job ends outside the pool's lock: `isOver` says so where `phase` cannot.
@usableFromInline
class JobRecord: @unchecked Sendable {  // see each property for what guards it
    enum Phase {
        /// Not accepted yet.
        case offered
        case queued
        case running(slot: Int)
        /// Among the short jobs that the worker at the slot has taken together: waiting, running or over.
        case inRun(slot: Int)
        /// Between two attempts.
        case delayed(ticket: UInt64)
        /// Run by its submitter.
        case inCaller
        case settled
    }

    let options: JobOptions
    /// Guarded by the pool's lock, as is `isCancelRequested`.
    var phase = Phase.offered
    var isCancelRequested = false
    let isOver = Atomic(false)

    @usableFromInline
    init(options: JobOptions) {
        self.options = options
    }

    /// Makes the end known to whoever waits for it. Called exactly once, outside the pool's lock.
    @usableFromInline
    func settle(_ end: JobEnd) {
        fatalError("JobRecord.settle is overridden by every kind of record")
    }
}
