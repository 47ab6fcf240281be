// Unsafe code: `work` and `slot` are only touched by the attempt under way and then by whoever settles the job, and read after
// the job's end is known, which the pool orders after them.

/// A job with a result. Open to inlining, so that its users' compilers know its types.
@usableFromInline
class ValueRecord<Value: Sendable, Failure: Error>: AwaitedRecord, @unchecked Sendable {
    /// What the job is, in one of two ways; let go when it has been done or has failed. One that the pool has ended may be run
    /// elsewhere.
    @exclusivity(unchecked) @usableFromInline var work: (@Sendable () async throws(Failure) -> Value)?
    @exclusivity(unchecked) @usableFromInline var plainWork: (@Sendable () throws(Failure) -> Value)?
    @exclusivity(unchecked) @usableFromInline var slot = ResultSlot()

    @inlinable
    init(options: JobOptions, _ work: @escaping @Sendable () async throws(Failure) -> Value) {
        self.work = work
        super.init(options: options)
    }

    @inlinable
    init(options: JobOptions, plain work: @escaping @Sendable () throws(Failure) -> Value) {
        plainWork = work
        super.init(options: options)
    }

    @inlinable
    deinit { slot.empty() }

    @usableFromInline
    override func settle(_ end: JobEnd) {
        switch end {
        case .done, .failed:
            work = nil
            plainWork = nil
        case .stopped: break
        }
        super.settle(end)
    }

    /// A closure that makes an attempt and keeps its result here. It captures the record alone, so that it needs no memory of
    /// its own.
    @inlinable
    final var body: Job.Body { .asynchronous { try await self.attempt() } }

    @inlinable
    final var plainBody: Job.Body { .plain { try self.attemptPlain() } }

    @inlinable
    final nonisolated(nonsending) func attempt() async throws {
        guard let work else { return }
        slot.put(try await work())
    }

    @inlinable
    final func attemptPlain() throws {
        guard let plainWork else { return }
        slot.put(try plainWork())
    }

    @usableFromInline
    override var undone: (@Sendable () async throws -> Void)? {
        if let work { return { _ = try await work() } }
        if let plainWork { return { _ = try plainWork() } }
        return nil
    }

    @inlinable
    final func result(of end: JobEnd) -> Result<Value, JobFailure<Failure>> {
        switch end {
        case .done: return .success(slot.value(as: Value.self))
        case .failed(let error):
            guard let failure = error as? Failure else { preconditionFailure("a job failed with an error of another type") }
            return .failure(.failed(failure))
        case .stopped(let error):
            return .failure(.stopped(error))
        }
    }
}

/// The same, with somebody who is called with the result.
@usableFromInline
final class CallbackRecord<Value: Sendable, Failure: Error>: ValueRecord<Value, Failure>, @unchecked Sendable {
    @usableFromInline typealias Callback = @Sendable (Result<Value, JobFailure<Failure>>) -> Void

    @exclusivity(unchecked) private var then: Callback?

    @usableFromInline
    init(
        options: JobOptions, _ work: @escaping @Sendable () async throws(Failure) -> Value, then: @escaping Callback
    ) {
        self.then = then
        super.init(options: options, work)
    }

    @usableFromInline
    init(options: JobOptions, plain work: @escaping @Sendable () throws(Failure) -> Value, then: @escaping Callback) {
        self.then = then
        super.init(options: options, plain: work)
    }

    @usableFromInline
    override var hasCallback: Bool { true }

    @usableFromInline
    override func settle(_ end: JobEnd) {
        then?(result(of: end))
        then = nil
        super.settle(end)
    }
}
