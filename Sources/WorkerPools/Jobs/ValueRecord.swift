// Unsafe code: only the current attempt touches `work` and `value`, and after it the thread that
// announces its end. They are read once the job's end is known, which the pool orders after both. A
// body is always given the record it was made for, so it may downcast without asking the runtime.

/// A job with a result. Its size and its number of references are what a handle costs: keep it
/// within 120 bytes, above which glibc takes a lock to free what another thread has allocated.
///
/// `Slot` is `Value?`. It is a parameter so that `deinit` finds that type in the record's own: to
/// make it out of `Value` is a look-up in the runtime's tables, a tenth of what a handle costs.
@usableFromInline
final class ValueRecord<Value: Sendable, Failure: Error, Slot: Sendable>: JobRecord, @unchecked Sendable {  // see above
    /// The job's closure, released once the job is done or has failed. A job that the pool ended
    /// may be run elsewhere.
    @usableFromInline
    enum Work {
        case asynchronous(@Sendable () async throws(Failure) -> Value)
        case plain(@Sendable () throws(Failure) -> Value)
        case finished
    }

    @exclusivity(unchecked) @usableFromInline var work: Work
    @exclusivity(unchecked) @usableFromInline var value: Slot

    @inlinable
    init(options: JobOptions, _ work: Work, _ value: Slot, onEnd: EndAction?) {
        self.work = work
        self.value = value
        super.init(options: options, onEnd: onEnd)
    }

    @usableFromInline
    override func releaseWork() { work = .finished }

    @usableFromInline
    override var undone: (@Sendable () async throws -> Void)? {
        switch work {
        case .asynchronous(let work): { _ = try await work() }
        case .plain(let work): { _ = try work() }
        case .finished: nil
        }
    }
}

extension ValueRecord where Slot == Value? {
    @inlinable
    convenience init(options: JobOptions, _ work: Work, onEnd: EndAction? = nil) {
        self.init(options: options, work, nil, onEnd: onEnd)
    }

    /// For a callback with the result.
    @inlinable
    convenience init(options: JobOptions, _ work: Work, then: @escaping @Sendable (Result<Value, JobFailure<Failure>>) -> Void) {
        self.init(options: options, work) { record, end in
            then(unsafeDowncast(record, to: ValueRecord.self).result(of: end))
        }
    }

    // Both bodies move the job out and back in, since a copy counts references.

    @inlinable
    var asynchronousBody: Job.Body {
        .asynchronousOfRecord { record in
            let record = unsafeDowncast(record, to: ValueRecord.self)
            let own = exchange(&record.work, with: .finished)
            defer { record.work = own }
            if case .asynchronous(let asynchronous) = own { record.value = try await asynchronous() }
        }
    }

    @inlinable
    var plainBody: Job.Body {
        .plainOfRecord { record in
            let record = unsafeDowncast(record, to: ValueRecord.self)
            let own = exchange(&record.work, with: .finished)
            defer { record.work = own }
            if case .plain(let plain) = own { record.value = try plain() }
        }
    }

    @inlinable
    func result(of end: JobEnd) -> Result<Value, JobFailure<Failure>> {
        switch end {
        case .done:
            guard let value else { preconditionFailure("a job was announced as done before it had a value") }
            return .success(value)
        case .failed(let error):
            guard let failure = error as? Failure else { preconditionFailure("a job failed with an error of another type") }
            return .failure(.failed(failure))
        case .stopped(let error):
            return .failure(.stopped(error))
        }
    }
}
