extension WorkerPool {
    /// Transforms all elements on the pool's workers; the results are in the order of the elements.
    ///
    /// Unless the pool has a timeout or retries, which then apply to each element, elements are
    /// divided into chunks: a job for each 1/8 of a worker's share, at most 1,024 elements. So an
    /// element costs a call, not a job. Results are written in place; elements are copied first
    /// unless the collection has random access. Where the queue is full it waits for room, whatever
    /// ``WorkerPool/Configuration/whenFull`` says.
    /// - Throws: the first error; elements not begun are then skipped. Cancelling the caller
    ///   cancels the rest.
    @inlinable
    public func map<Elements: Collection & Sendable, Value: Sendable, Failure: Error>(
        _ elements: Elements,
        _ transform: @escaping @Sendable (Elements.Element) throws(Failure) -> Value
    ) async throws(JobFailure<Failure>) -> [Value] where Elements.Element: Sendable {
        guard Elements.self is any RandomAccessCollection.Type else { return try await map(Array(elements), transform) }
        return try await mapInChunks(elements.count, Failure.self) { try $0.fill($1, from: elements, transform) }
    }

    /// The same for asynchronous transforms. Most of their cost is that after each call the runtime
    /// checks where the task has to continue.
    @inlinable
    public func map<Elements: Collection & Sendable, Value: Sendable, Failure: Error>(
        _ elements: Elements,
        _ transform: @escaping @Sendable (Elements.Element) async throws(Failure) -> Value
    ) async throws(JobFailure<Failure>) -> [Value] where Elements.Element: Sendable {
        guard Elements.self is any RandomAccessCollection.Type else { return try await map(Array(elements), transform) }
        return try await mapInChunks(elements.count, Failure.self) { try await $0.fill($1, from: elements, transform) }
    }

    /// Calls `body` with each element on the pool's workers, in chunks as `map`.
    /// - Throws: as `map`.
    @inlinable
    public func forEach<Elements: Collection & Sendable, Failure: Error>(
        _ elements: Elements,
        _ body: @escaping @Sendable (Elements.Element) throws(Failure) -> Void
    ) async throws(JobFailure<Failure>) where Elements.Element: Sendable {
        _ = try await map(elements, body)
    }

    /// The same for asynchronous bodies.
    @inlinable
    public func forEach<Elements: Collection & Sendable, Failure: Error>(
        _ elements: Elements,
        _ body: @escaping @Sendable (Elements.Element) async throws(Failure) -> Void
    ) async throws(JobFailure<Failure>) where Elements.Element: Sendable {
        _ = try await map(elements, body)
    }

    @inlinable
    func mapInChunks<Value: Sendable, Failure: Error>(
        _ count: Int, _: Failure.Type, _ fill: @escaping @Sendable (ResultBuffer<Value>, Range<Int>) async throws -> Void
    ) async throws(JobFailure<Failure>) -> [Value] {
        guard count > 0 else { return [] }
        let call = ChunkedCall(count, on: storage)
        let results = ResultBuffer<Value>(for: call)
        if let failure = await call.run({ try await fill(results, $0) }) { throw self.failure(failure) }
        return results.complete()
    }
}
