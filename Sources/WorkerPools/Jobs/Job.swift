/// An entry of the queue.
@usableFromInline
struct Job {
    /// What an attempt runs.
    @usableFromInline
    enum Body: Sendable {
        /// Run without the machinery of asynchronous calls, which costs more than an empty job.
        case plain(@Sendable () throws -> Void)
        /// The same, with the closure kept in the record.
        case plainOfRecord
        case asynchronous(@Sendable () async throws -> Void)
        /// The same, with the closure kept in the record. This closure knows the record's type and
        /// captures nothing.
        case asynchronousOfRecord(@Sendable (JobRecord) async throws -> Void)
        /// Moved out to the worker that runs it.
        case movedOut
    }

    @usableFromInline var body: Body
    /// Only for a job that has a handle, options, a group or a callback. nil costs no allocation.
    @usableFromInline var record: JobRecord?
    /// The number of the next or current attempt, starting at 1.
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

    /// Moves out the body if it is a synchronous closure: a copy would cost two reference counts.
    /// The caller puts it back if there may be another attempt.
    @inline(__always)
    mutating func takePlain() -> (@Sendable () throws -> Void)? {
        guard case .plain(let plain) = body else { return nil }
        body = .movedOut
        return plain
    }

    /// The same for an asynchronous closure.
    @inline(__always)
    mutating func takeAsynchronous() -> (@Sendable () async throws -> Void)? {
        guard case .asynchronous(let asynchronous) = body else { return nil }
        body = .movedOut
        return asynchronous
    }
}

/// How a job ended. Every accepted job ends exactly once.
@usableFromInline
enum JobEnd: Sendable {
    case done
    case failed(any Error)
    /// The pool ended it: timed out, cancelled or dropped.
    indirect case stopped(PoolError)
}

/// What the pool knows about a job beyond its closure.
@usableFromInline
class JobRecord: @unchecked Sendable {  // see each property for what guards it
    enum Phase {
        /// Not accepted yet.
        case offered
        case queued
        case running(slot: Int)
        /// Assigned to a worker, or the job that worker was running at the time. Once all
        /// assignments have been revoked: done.
        case assigned
        /// Between two attempts.
        case delayed(ticket: UInt64)
        /// Run by its submitter.
        case inCaller
        case settled
    }

    /// What remains of the job's options once it has its place in the queue.
    let details: JobOptions.Details?
    /// Changed under the lock of the structure that holds the job: the injector, a local queue or
    /// the pool. Others read it with all of these locks held. The same goes for
    /// `isCancelRequested`.
    @exclusivity(unchecked) var phase = Phase.offered
    @exclusivity(unchecked) var isCancelRequested = false
    /// Whether a callback receives the result; it returns before the worker begins its next job.
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

    /// What the job does, for running it after the pool has ended it; nil if that is the closure in
    /// the queue. Several callers may run it at once, so it keeps no result.
    @usableFromInline
    var undone: (@Sendable () async throws -> Void)? { nil }

    /// Announces the end to those waiting for it. Called exactly once, outside the pool's lock.
    @usableFromInline
    func settle(_ end: JobEnd) {
        fatalError("JobRecord.settle is overridden by every kind of record")
    }
}
