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
        guard Elements.self is any RandomAccessCollection.Type else {
            return try await mapInChunks(Array(elements), transform)
        }
        return try await mapInChunks(elements, transform)
    }

    /// The same for asynchronous transforms. Most of their cost is that after each call the runtime
    /// checks where the task has to continue.
    @inlinable
    public func map<Elements: Collection & Sendable, Value: Sendable, Failure: Error>(
        _ elements: Elements,
        _ transform: @escaping @Sendable (Elements.Element) async throws(Failure) -> Value
    ) async throws(JobFailure<Failure>) -> [Value] where Elements.Element: Sendable {
        guard Elements.self is any RandomAccessCollection.Type else {
            return try await mapInChunks(Array(elements), transform)
        }
        return try await mapInChunks(elements, transform)
    }

    @inlinable
    func mapInChunks<Elements: Collection & Sendable, Value: Sendable, Failure: Error>(
        _ elements: Elements,
        _ transform: @escaping @Sendable (Elements.Element) throws(Failure) -> Value
    ) async throws(JobFailure<Failure>) -> [Value] {
        let call = makeChunkedCall(elements.count)
        guard call.count > 0 else { return [] }
        let results = ResultBuffer<Value>(for: call)
        let failure = await call.run(on: self) { range in
            guard var next = results.take(range) else { return }
            defer { results.giveBack(range, filledTo: next) }
            let isDone = try call.visit(range, of: elements) { (element) throws(Failure) in
                next.initialize(to: try transform(element))
                next += 1
            }
            if !isDone { try call.skipRest() }
        }
        if let failure { throw self.failure(failure) }
        return results.complete()
    }

    @inlinable
    func mapInChunks<Elements: Collection & Sendable, Value: Sendable, Failure: Error>(
        _ elements: Elements,
        _ transform: @escaping @Sendable (Elements.Element) async throws(Failure) -> Value
    ) async throws(JobFailure<Failure>) -> [Value] {
        let call = makeChunkedCall(elements.count)
        guard call.count > 0 else { return [] }
        let results = ResultBuffer<Value>(for: call)
        let failure = await call.run(on: self) { range in
            guard var next = results.take(range) else { return }
            defer { results.giveBack(range, filledTo: next) }
            let isDone = try await call.visit(range, of: elements) { (element) async throws(Failure) in
                next.initialize(to: try await transform(element))
                next += 1
            }
            if !isDone { try call.skipRest() }
        }
        if let failure { throw self.failure(failure) }
        return results.complete()
    }
}
