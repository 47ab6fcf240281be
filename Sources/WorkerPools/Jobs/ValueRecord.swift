// Unsafe code: `value` and `failure` are only touched by the attempt under way, and read after the job's end is known, which
// the pool orders after it.

/// A job with a result. Open to inlining, so that its users' compilers know its types.
@usableFromInline
final class ValueRecord<Value: Sendable, Failure: Error>: AwaitedRecord, @unchecked Sendable {
    @usableFromInline let body: @Sendable () async throws(Failure) -> Value
    @usableFromInline let then: (@Sendable (Result<Value, JobFailure<Failure>>) -> Void)?
    @usableFromInline var value: Value?
    @usableFromInline var failure: Failure?

    @inlinable
    init(
        _ options: JobOptions, _ body: @escaping @Sendable () async throws(Failure) -> Value,
        then: (@Sendable (Result<Value, JobFailure<Failure>>) -> Void)? = nil
    ) {
        self.body = body
        self.then = then
        super.init(options: options)
    }

    @inlinable
    override func attempt() async throws {
        do {
            value = try await body()
        } catch {
            failure = error
            throw error
        }
    }

    @inlinable
    override func announce() {
        if let then, let end = endIfEnded { then(result(of: end)) }
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
