// Unsafe code: `work`, `value` and `failure` are only touched by the attempt under way and then by whoever settles the job,
// and read after the job's end is known, which the pool orders after them.

/// A job with a result. Open to inlining, so that its users' compilers know its types.
@usableFromInline
final class ValueRecord<Value: Sendable, Failure: Error>: AwaitedRecord, @unchecked Sendable {
    /// What the job is; let go when it has been done or has failed. One that the pool has ended may be run elsewhere.
    @exclusivity(unchecked) @usableFromInline var work: (@Sendable () async throws(Failure) -> Value)?
    @exclusivity(unchecked) @usableFromInline var value: Value?
    @exclusivity(unchecked) @usableFromInline var failure: Failure?

    @inlinable
    init(options: JobOptions, _ work: @escaping @Sendable () async throws(Failure) -> Value) {
        self.work = work
        super.init(options: options)
    }

    @usableFromInline
    override func settle(_ end: JobEnd) {
        switch end {
        case .done, .failed: work = nil
        case .stopped: break
        }
        super.settle(end)
    }

    /// A closure that makes an attempt and keeps its result here. It captures the record alone, so that it needs no memory of
    /// its own.
    @inlinable
    var body: Job.Body { .asynchronous { try await self.attempt() } }

    @inlinable
    nonisolated(nonsending) func attempt() async throws {
        guard let work else { return }
        do throws(Failure) {
            value = try await work()
        } catch {
            failure = error
            throw error
        }
    }

    @inlinable
    func result(of end: JobEnd) -> Result<Value, JobFailure<Failure>> {
        switch end {
        case .done:
            guard let value else { preconditionFailure("a job was settled as done before it had a value") }
            return .success(value)
        case .failed:
            guard let failure else { preconditionFailure("a job was settled as failed before it had failed") }
            return .failure(.failed(failure))
        case .stopped(let error):
            return .failure(.stopped(error))
        }
    }
}
