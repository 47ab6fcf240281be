/// Why a job with a handle has no value.
public enum JobFailure<Failure: Error>: Error, Sendable {
    /// What the job's last attempt threw.
    case failed(Failure)
    /// The pool ended it: too late, cancelled, or dropped.
    case stopped(PoolError)
}

/// A job on its way, and its result.
///
/// Letting go of a handle changes nothing for the job.
public struct TypedJobHandle<Value: Sendable, Failure: Error>: Sendable {
    @usableFromInline let record: ValueRecord<Value, Failure>
    @usableFromInline let storage: PoolStorage

    @inlinable
    init(record: ValueRecord<Value, Failure>, storage: PoolStorage) {
        self.record = record
        self.storage = storage
    }

    /// Waits for the job's end. A job that waits for a job of its own pool lends its place meanwhile; one that waits for itself, or
    /// whose child task waits for a job that needs its place, waits for ever.
    ///
    /// Cancelling the waiting task does not end the wait; ``cancel()`` the job for that.
    @inlinable
    public var result: Result<Value, JobFailure<Failure>> {
        get async {
            if let end = record.endIfEnded { return record.result(of: end) }
            return record.result(of: await storage.end(of: record))
        }
    }

    /// A job that has not begun never will; one that runs is cancelled as a task is. Its end, if it has come before,
    /// stays as it was.
    public func cancel() { storage.cancel(record) }
}

/// A handle to a job that may throw anything.
public typealias JobHandle<Value: Sendable> = TypedJobHandle<Value, any Error>

extension TypedJobHandle {
    /// Waits for the job's value; throws what the job threw, or what the pool did to it.
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
            switch await result {
            case .success(let value): return value
            case .failure(.failed(let error)): throw error
            case .failure(.stopped(let error)): throw error
            }
        }
    }
}

extension TypedJobHandle where Failure == Never {
    /// Waits for the job's value; throws only what the pool did to the job.
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
