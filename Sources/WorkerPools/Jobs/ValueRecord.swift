// Unsafe code: only the current attempt touches `work`, `slot` and `content`, and after it the
// thread that settles the job. They are read once the job's end is known, which the pool orders
// after both. `dispatch` is always given the record it was created with, so it may downcast without
// asking the runtime.

/// A job with a result. Its size and its number of references are what a handle costs: keep it
/// within 120 bytes.
@usableFromInline
class ValueRecord<Value: Sendable, Failure: Error>: AwaitedRecord, @unchecked Sendable {
    /// The job's closure, released once the job is done or has failed. A job that the pool ended
    /// may be run elsewhere.
    @usableFromInline
    enum Work {
        case asynchronous(@Sendable () async throws(Failure) -> Value)
        case plain(@Sendable () throws(Failure) -> Value)
        case finished
    }

    @usableFromInline
    enum Operation { case attempt, notify(JobEnd), empty }

    @exclusivity(unchecked) @usableFromInline final var work: Work
    /// Everything that needs the generic types. It is a closure made where they are known, because
    /// methods would be compiled for any types and look up their metadata on every call. It
    /// captures nothing but types unknown where it was made, and returns what an attempt threw.
    @usableFromInline final let dispatch: @Sendable (AwaitedRecord, Operation) -> (any Error)?
    @exclusivity(unchecked) @usableFromInline final var slot = ResultSlot()

    @inlinable
    init(
        options: JobOptions, _ work: Work, hasCallback: Bool = false,
        _ dispatch: @escaping @Sendable (AwaitedRecord, Operation) -> (any Error)?
    ) {
        self.work = work
        self.dispatch = dispatch
        super.init(options: options, hasCallback: hasCallback)
    }

    @inlinable
    convenience init(options: JobOptions, _ work: Work) {
        self.init(options: options, work) { record, operation in
            unsafeDowncast(record, to: ValueRecord<Value, Failure>.self).perform(operation)
        }
    }

    deinit {
        if content == .ownedValue { _ = dispatch(self, .empty) }
    }

    @inlinable
    final func perform(_ operation: Operation) -> (any Error)? {
        switch operation {
        case .attempt:
            do {
                try attemptPlain()
            } catch {
                return error
            }
        case .empty: slot.empty(of: Value.self, &content)
        case .notify: break
        }
        return nil
    }

    @usableFromInline
    final override func attempt() throws {
        if let error = dispatch(self, .attempt) { throw error }
    }

    @usableFromInline
    override func settle(_ end: JobEnd) {
        if hasCallback { _ = dispatch(self, .notify(end)) }
        switch end {
        case .done, .failed: work = .finished
        case .stopped: break
        }
        super.settle(end)
    }

    /// The body that the queue holds for an asynchronous job.
    @inlinable
    static var asynchronousBody: Job.Body {
        .asynchronousOfRecord { record in
            try await unsafeDowncast(record, to: ValueRecord<Value, Failure>.self).attemptAsynchronous()
        }
    }

    // Both move the job out and back in, since a copy counts references.

    @inlinable
    final nonisolated(nonsending) func attemptAsynchronous() async throws {
        let own = exchange(&work, with: .finished)
        defer { work = own }
        if case .asynchronous(let asynchronous) = own { slot.put(try await asynchronous(), &content) }
    }

    @inlinable
    final func attemptPlain() throws {
        let own = exchange(&work, with: .finished)
        defer { work = own }
        if case .plain(let plain) = own { slot.put(try plain(), &content) }
    }

    @usableFromInline
    override var undone: (@Sendable () async throws -> Void)? {
        switch work {
        case .asynchronous(let work): { _ = try await work() }
        case .plain(let work): { _ = try work() }
        case .finished: nil
        }
    }

    @inlinable
    final func result(of end: JobEnd) -> Result<Value, JobFailure<Failure>> {
        switch end {
        case .done: return .success(slot.value(as: Value.self, content))
        case .failed(let error):
            guard let failure = error as? Failure else { preconditionFailure("a job failed with an error of another type") }
            return .failure(.failed(failure))
        case .stopped(let error):
            return .failure(.stopped(error))
        }
    }
}

/// The same, with a callback that receives the result.
@usableFromInline
final class CallbackRecord<Value: Sendable, Failure: Error>: ValueRecord<Value, Failure>, @unchecked Sendable {
    @usableFromInline typealias Callback = @Sendable (Result<Value, JobFailure<Failure>>) -> Void

    @exclusivity(unchecked) @usableFromInline var then: Callback?

    @inlinable
    init(options: JobOptions, _ work: Work, then: @escaping Callback) {
        self.then = then
        super.init(options: options, work, hasCallback: true) { record, operation in
            let record = unsafeDowncast(record, to: CallbackRecord<Value, Failure>.self)
            guard case .notify(let end) = operation else { return record.perform(operation) }
            record.then?(record.result(of: end))
            record.then = nil
            return nil
        }
    }
}
