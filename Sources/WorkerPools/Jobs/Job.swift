/// An entry of the queue.
@usableFromInline
struct Job {
    /// What an attempt runs. Closures that take the record know its type and capture nothing, so
    /// that a job with a result needs no memory besides its record.
    @usableFromInline
    enum Body: Sendable {
        /// Run without the machinery of asynchronous calls, which costs more than an empty job.
        case plain(@Sendable () throws -> Void)
        case plainOfRecord(@Sendable (JobRecord) throws -> Void)
        case asynchronous(@Sendable () async throws -> Void)
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

    /// Cancelled while it waited: the entry only takes up space in the queue.
    var isCancelledEntry: Bool {
        guard let record, case .decided = record.phase else { return false }
        return true
    }
}

/// How a job ended. Every accepted job ends exactly once.
@usableFromInline
enum JobEnd: Sendable {
    case done
    case failed(any Error)
    /// The pool ended it: timed out, cancelled or dropped.
    indirect case stopped(PoolError)

    var failure: JobFailure<any Error>? {
        switch self {
        case .done: nil
        case .failed(let error): .failed(error)
        case .stopped(let error): .stopped(error)
        }
    }
}
