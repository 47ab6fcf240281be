// Unsafe code: `value` and `failure` are only touched by the attempt under way, and read after the job's end is known, which
// the pool orders after it.

/// A job with a result. Open to inlining, so that its users' compilers know its types.
@usableFromInline
final class ValueRecord<Value: Sendable, Failure: Error>: AwaitedRecord, @unchecked Sendable {
    @usableFromInline var value: Value?
    @usableFromInline var failure: Failure?

    /// The closure that makes an attempt and keeps its result here.
    @inlinable
    func keeping(_ job: @escaping @Sendable () async throws(Failure) -> Value) -> @Sendable () async throws -> Void {
        {
            do throws(Failure) {
                self.value = try await job()
            } catch {
                self.failure = error
                throw error
            }
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
