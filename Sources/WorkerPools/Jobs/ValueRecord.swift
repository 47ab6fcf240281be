// Unsafe code: `state` is only touched with `lock` held; `value` and `failure` only by the attempt under way and by
// the settling that follows it, which the pool orders.

/// A job with a result that somebody may wait for.
final class ValueRecord<Value: Sendable, Failure: Error>: JobRecord, @unchecked Sendable {
    private enum State {
        case pending([UnsafeContinuation<Void, Never>])
        case ended(Result<Value, JobFailure<Failure>>)
    }

    private var body: (@Sendable () async throws(Failure) -> Value)?
    private let then: (@Sendable (Result<Value, JobFailure<Failure>>) -> Void)?
    private let lock = LockWord(.mutex)
    private var state = State.pending([])
    private var value: Value?
    private var failure: Failure?

    init(
        _ options: JobOptions, _ body: @escaping @Sendable () async throws(Failure) -> Value,
        then: (@Sendable (Result<Value, JobFailure<Failure>>) -> Void)? = nil
    ) {
        self.body = body
        self.then = then
        super.init(options: options)
    }

    override func attempt() async throws {
        guard let body else { return }
        do {
            value = try await body()
        } catch {
            failure = error
            throw error
        }
    }

    override func settle(_ end: JobEnd) {
        let result: Result<Value, JobFailure<Failure>>
        switch end {
        case .done:
            guard let value else { preconditionFailure("a job was settled as done before it had a value") }
            result = .success(value)
        case .failed:
            guard let failure else { preconditionFailure("a job was settled as failed before it had failed") }
            result = .failure(.failed(failure))
        case .stopped(let error):
            result = .failure(.stopped(error))
        }
        lock.lock()
        var waiting: [UnsafeContinuation<Void, Never>] = []
        if case .pending(let continuations) = state { waiting = continuations }
        state = .ended(result)
        lock.unlock()
        then?(result)
        for continuation in waiting { continuation.resume() }
    }

    var resultIfEnded: Result<Value, JobFailure<Failure>>? {
        lock.lock()
        defer { lock.unlock() }
        if case .ended(let result) = state { return result }
        return nil
    }

    func waitForResult() async -> Result<Value, JobFailure<Failure>> {
        while true {
            if let result = resultIfEnded { return result }
            await withUnsafeContinuation { continuation in
                if !wait(with: continuation) { continuation.resume() }
            }
        }
    }

    private func wait(with continuation: UnsafeContinuation<Void, Never>) -> Bool {
        lock.lock()
        defer { lock.unlock() }
        guard case .pending(var waiting) = state else { return false }
        waiting.append(continuation)
        state = .pending(waiting)
        return true
    }
}
