/// The order in which a stream delivers its results.
public enum ResultOrder: Sendable, Hashable {
    /// That of the elements they were computed from.
    case input
    /// That in which they become available.
    case completion
}

/// The results of jobs, one for each element of a sequence, as they become available. For one
/// reader.
///
/// At most `window` elements are taken ahead of the reader, and where the pool's queue is full the
/// stream waits for room, whatever ``WorkerPool/Configuration/whenFull`` says. The first error ends
/// the stream; releasing the iterator cancels the remaining jobs.
public struct PoolResults<Elements: AsyncSequence & Sendable, Value: Sendable>: AsyncSequence, Sendable
where Elements.Element: Sendable {
    public typealias Element = Value

    let storage: PoolStorage
    let elements: Elements
    let order: ResultOrder
    let window: Int
    let transform: @Sendable (Elements.Element) async throws -> Value

    public func makeAsyncIterator() -> Iterator { Iterator(reader: Reader(self)) }

    public struct Iterator: AsyncIteratorProtocol {
        let reader: Reader

        public mutating func next() async throws -> Value? { try await reader.next() }
    }

    /// What an iterator holds. Its `deinit` cancels the remaining jobs.
    final class Reader {
        private let channel: ResultChannel<Value>
        /// Takes the elements and submits a job for each.
        private let pump: Task<Void, any Error>
        private var hasEnded = false

        init(_ results: PoolResults) {
            let channel = ResultChannel<Value>(results.storage, window: results.window, order: results.order)
            self.channel = channel
            let (elements, transform) = (results.elements, results.transform)
            pump = results.storage.taskForElements {
                do {
                    var elements = elements.makeAsyncIterator()
                    while await channel.waitForRoom(), let element = try await elements.next() {
                        try await channel.submit { try await transform(element) }
                    }
                    await channel.end(.success(nil))
                } catch {
                    await channel.end(.failure(error))
                }
            }
        }

        deinit {
            stop()
        }

        func next() async throws -> Value? {
            guard !hasEnded else { return nil }
            do {
                while true {
                    if let finding = channel.take() {
                        let value = try finding.get()
                        if value == nil { stop() }
                        return value
                    }
                    try Task.checkCancellation()
                    await channel.waitForResult()
                    try Task.checkCancellation()
                }
            } catch {
                stop()
                throw error
            }
        }

        private func stop() {
            hasEnded = true
            pump.cancel()
            channel.abandon()
        }
    }
}

extension WorkerPool {
    /// A stream of the results of `transform`, which runs on the pool's workers.
    /// - Parameters:
    ///   - elements: taken one after the other, at most `window` ahead of the reader.
    ///   - order: that of the elements, or that in which results become available.
    ///   - window: nil for twice the pool's workers.
    ///   - transform: a job for each element.
    public func results<Elements: AsyncSequence & Sendable, Value: Sendable>(
        of elements: Elements, order: ResultOrder = .input, window: Int? = nil,
        _ transform: @escaping @Sendable (Elements.Element) async throws -> Value
    ) -> PoolResults<Elements, Value> {
        let window = window ?? 2 * min(storage.configuration.workers.upperBound, .max / 2)
        demand(window > 0, "a stream of results needs a window of at least one, not \(window)")
        return PoolResults(storage: storage, elements: elements, order: order, window: window, transform: transform)
    }

    /// A stream of the results of `transform` over a sequence in memory.
    public func results<Elements: Sequence & Sendable, Value: Sendable>(
        of elements: Elements, order: ResultOrder = .input, window: Int? = nil,
        _ transform: @escaping @Sendable (Elements.Element) async throws -> Value
    ) -> PoolResults<ReadySequence<Elements>, Value> {
        results(of: ReadySequence(base: elements), order: order, window: window, transform)
    }
}

/// An async sequence over a sequence in memory.
public struct ReadySequence<Base: Sequence & Sendable>: AsyncSequence, Sendable {
    let base: Base

    public func makeAsyncIterator() -> Iterator { Iterator(base: base.makeIterator()) }

    public struct Iterator: AsyncIteratorProtocol {
        var base: Base.Iterator

        public mutating func next() async -> Base.Element? { base.next() }
    }
}
