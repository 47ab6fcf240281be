/// Why a job with a handle has no value.
public enum JobFailure<Failure: Error>: Error, Sendable {
    /// What the job's last attempt threw.
    case failed(Failure)
    /// The pool ended it: timed out, cancelled or dropped.
    case stopped(PoolError)
}

extension JobFailure where Failure == any Error {
    /// The error itself.
    @usableFromInline
    var cause: any Error {
        switch self {
        case .failed(let error): error
        case .stopped(let error): error
        }
    }
}

/// A submitted job, and its result.
///
/// Releasing a handle does not affect the job.
public struct TypedJobHandle<Value: Sendable, Failure: Error>: Sendable {
    @usableFromInline let record: ValueRecord<Value, Failure, Value?>
    @usableFromInline let storage: PoolStorage

    @inlinable
    init(record: ValueRecord<Value, Failure, Value?>, storage: PoolStorage) {
        self.record = record
        self.storage = storage
    }

    /// Waits for the job to end. A job that waits for a job of its own pool lends its place in the
    /// meantime. One that waits for itself, or whose child task waits for a job that needs its
    /// place, waits forever.
    ///
    /// Cancelling the waiting task does not end the wait; ``cancel()`` the job to do that.
    @inlinable
    public var result: Result<Value, JobFailure<Failure>> {
        get async {
            if let end = record.endIfEnded { return record.result(of: end) }
            return record.result(of: await storage.waitForEnd(of: record))
        }
    }

    /// A job that has not begun never will; a running one is cancelled as a task is. If the job has
    /// already ended, nothing changes.
    public func cancel() { storage.cancel(record) }
}

/// A handle to a job that may throw anything.
public typealias JobHandle<Value: Sendable> = TypedJobHandle<Value, any Error>

extension TypedJobHandle {
    /// Waits for the job's value; throws what the job threw, or the reason why the pool ended it.
    @inlinable
    public var value: Value {
        get async throws(JobFailure<Failure>) { try await result.get() }
    }
}

extension TypedJobHandle where Failure == any Error {
    /// Waits for the job's value; throws the job's own error, or the ``PoolError`` that ended it.
    @inlinable
    public var value: Value {
        get async throws {
            try await result.mapError(\.cause).get()
        }
    }
}

extension TypedJobHandle where Failure == Never {
    /// Waits for the job's value; throws only the reason why the pool ended the job.
    @inlinable
    public var value: Value {
        get async throws(PoolError) {
            switch await result {
            case .success(let value): return value
            case .failure(.stopped(let error)): throw error
            }
        }
    }
}
