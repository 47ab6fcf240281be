/// An entry of the queue.
@usableFromInline
struct Job {
    /// What an attempt does.
    @usableFromInline
    enum Body: Sendable {
        /// Run without the machinery of asynchronous calls, which costs more than an empty job.
        case plain(@Sendable () throws -> Void)
        /// The same, kept by the record.
        case plainOfRecord
        case asynchronous(@Sendable () async throws -> Void)
        /// The same, kept by the record; the closure knows the record's type, and captures nothing.
        case asynchronousOfRecord(@Sendable (JobRecord) async throws -> Void)
        /// Lent to the worker that runs it.
        case movedOut
    }

    @usableFromInline var body: Body
    /// For a job that somebody can name: it has a handle, options, a group or a callback. None costs no allocation.
    @usableFromInline var record: JobRecord?
    /// The number of the attempt that comes next or is under way; the first is 1.
    @usableFromInline var attempt: Int32
    @usableFromInline var level: UInt8

    @inlinable
    init(body: consuming Body, record: consuming JobRecord? = nil, attempt: Int32 = 1, level: UInt8) {
        self.body = body
        self.record = record
        self.attempt = attempt
        self.level = level
    }

    static var none: Job { Job(body: .movedOut, level: 0) }

    /// Takes out a body that is no asynchronous function: a copy would cost two counts of references. To be put back if there
    /// may be another attempt.
    @inline(__always)
    mutating func takePlain() -> (@Sendable () throws -> Void)? {
        guard case .plain(let plain) = body else { return nil }
        body = .movedOut
        return plain
    }

    /// The same of one that is.
    @inline(__always)
    mutating func takeAsynchronous() -> (@Sendable () async throws -> Void)? {
        guard case .asynchronous(let asynchronous) = body else { return nil }
        body = .movedOut
        return asynchronous
    }
}

/// How a job ended. Each accepted job has exactly one.
@usableFromInline
enum JobEnd: Sendable {
    case done
    case failed(any Error)
    /// The pool ended it: too late, cancelled or dropped.
    indirect case stopped(PoolError)
}

/// What is known of a job beyond its closure.
@usableFromInline
class JobRecord: @unchecked Sendable {  // see each property for what guards it
    enum Phase {
        /// Not accepted yet.
        case offered
        case queued
        case running(slot: Int)
        /// Dealt to a worker, or the job it was at then. When all hands have been closed: done.
        case assigned
        /// Between two attempts.
        case delayed(ticket: UInt64)
        /// Run by its submitter.
        case inCaller
        case settled
    }

    /// What is left of the job's options once it has its place in the queue.
    let details: JobOptions.Details?
    /// Changed under the lock of whatever holds the job: the inbox, a local queue or the pool; read by others with all of
    /// them. The same for `isCancelRequested`.
    @exclusivity(unchecked) var phase = Phase.offered
    @exclusivity(unchecked) var isCancelRequested = false
    /// Somebody is called with the result, which is to be over before the worker begins its next job.
    let hasCallback: Bool

    @usableFromInline
    init(options: JobOptions, hasCallback: Bool = false) {
        details = options.details
        self.hasCallback = hasCallback
    }

    /// Makes an attempt at a job whose body is ``Job/Body/plainOfRecord``.
    @usableFromInline
    func attempt() throws {
        fatalError("JobRecord.attempt is overridden by every kind of record that keeps a job")
    }

    /// What the job does, for somebody who runs it after the pool has ended it; nil if that is the queue's closure itself. More than
    /// one may do so at once, so it keeps no result.
    @usableFromInline
    var undone: (@Sendable () async throws -> Void)? { nil }

    /// Makes the end known to whoever waits for it. Called exactly once, outside the pool's lock.
    @usableFromInline
    func settle(_ end: JobEnd) {
        fatalError("JobRecord.settle is overridden by every kind of record")
    }
}
