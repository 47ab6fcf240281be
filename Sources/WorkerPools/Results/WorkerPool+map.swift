extension WorkerPool {
    /// Transforms all elements on the pool's workers; the results are in the order of the elements.
    ///
    /// Unless the pool has a timeout or retries, which then apply to each element, elements are dealt out in chunks: a job
    /// for each 1/8 of a worker's share, at most 1,024 elements. So the price is that of a call, not of a job.
    /// - Throws: the first error; elements not begun are then left out. A cancelled caller cancels the rest.
    @inlinable
    public func map<Element: Sendable, Value: Sendable, Failure: Error>(
        _ elements: some Collection<Element> & Sendable,
        _ transform: @escaping @Sendable (Element) async throws(Failure) -> Value
    ) async throws(JobFailure<Failure>) -> [Value] {
        let all = Array(elements)
        let length = chunkLength(of: all.count)
        let results = ChunkResults<Value>(count: (all.count + length - 1) / length)
        let group = group()
        do {
            for (place, start) in stride(from: 0, to: all.count, by: length).enumerated() {
                let chunk = all[start..<min(start + length, all.count)]
                try await group.submit { results.put(try await mapChunk(chunk, until: group, transform), at: place) }
            }
        } catch {
            group.cancel()
            throw failure(await group.waitForAll().first ?? error)
        }
        if let error = await group.waitForAll().first { throw failure(error) }
        return results.joined
    }

    /// Calls `body` with each element on the pool's workers, in chunks as ``map(_:_:)``.
    /// - Throws: as ``map(_:_:)``.
    @inlinable
    public func forEach<Element: Sendable, Failure: Error>(
        _ elements: some Collection<Element> & Sendable,
        _ body: @escaping @Sendable (Element) async throws(Failure) -> Void
    ) async throws(JobFailure<Failure>) {
        _ = try await map(elements, body)
    }

    /// Calls `body` with each element that comes, a job each; takes the next element only when the queue has room.
    /// - Throws: the sequence's error, or the first of the jobs'; the rest is cancelled then. All jobs have ended when this
    ///   returns or throws.
    public func forEach<Elements: AsyncSequence>(
        in elements: Elements, _ body: @escaping @Sendable (Elements.Element) async throws -> Void
    ) async throws where Elements.Element: Sendable {
        let group = group()
        do {
            for try await element in elements {
                try await group.submit { try await body(element) }
            }
        } catch {
            group.cancel()
            throw await group.waitForAll().first ?? error
        }
        try await group.wait()
    }

    @usableFromInline
    func chunkLength(of count: Int) -> Int {
        let configuration = storage.configuration
        guard configuration.timeout == nil, configuration.retry == nil else { return 1 }
        return min(1024, max(1, count / (8 * configuration.workers.upperBound)))
    }

    @usableFromInline
    func failure<Failure: Error>(_ error: any Error) -> JobFailure<Failure> {
        if let failure = error as? Failure { return .failed(failure) }
        return .stopped(error as? PoolError ?? .cancelled(pool: name, job: nil))
    }
}

@inlinable
@concurrent
func mapChunk<Element, Value, Failure: Error>(
    _ chunk: ArraySlice<Element>, until group: JobGroup,
    _ transform: @Sendable (Element) async throws(Failure) -> Value
) async throws -> [Value] {
    var values: [Value] = []
    values.reserveCapacity(chunk.count)
    for element in chunk {
        if values.count % 64 == 0, group.isCancelled || Task.isCancelled { throw CancellationError() }
        values.append(try await transform(element))
    }
    return values
}

/// The results of a map, chunk by chunk as they come.
@usableFromInline
final class ChunkResults<Value: Sendable>: Sendable {
    private let chunks: Guarded<[[Value]?]>

    @usableFromInline
    init(count: Int) { chunks = Guarded(Array(repeating: nil, count: count)) }

    @usableFromInline
    func put(_ values: [Value], at place: Int) { chunks.withLock { $0[place] = values } }

    @usableFromInline
    var all: [[Value]] { chunks.withLock { $0 }.compactMap(\.self) }

    @inlinable
    var joined: [Value] { Array(all.joined()) }
}
