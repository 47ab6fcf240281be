/// What an iterator over a stream of results holds. Its `deinit` cancels the remaining jobs.
///
/// Elements in memory are submitted by the reader itself, whenever enough of the window is free,
/// which saves a wake-up. Elements that must be awaited are taken by a separate task, the pump.
final class ResultReader<Elements: AsyncSequence & Sendable, Value: Sendable> where Elements.Element: Sendable {
    private let channel: ResultChannel
    private let transform: @Sendable (Elements.Element) async throws -> Value
    private var elements: Elements.AsyncIterator?
    private var pump: Task<Void, any Error>?
    /// Results that were taken together, the next one last.
    private var ready: [ChannelRecord] = []
    /// Results read that the channel has not been told about.
    private var unreportedReads: Int
    private var hasEnded = false

    init(_ results: PoolResults<Elements, Value>) {
        let channel = ResultChannel(results.storage, window: results.window, order: results.order)
        self.channel = channel
        transform = results.transform
        unreportedReads = 0
        if Elements.self is any ReadyElements.Type {
            elements = results.elements.makeAsyncIterator()
        } else {
            let (elements, transform) = (results.elements, results.transform)
            pump = results.storage.taskForElements { await Self.feed(channel, elements, transform) }
        }
    }

    deinit {
        stop()
    }

    func next() async throws -> Value? {
        if let record = ready.popLast() { return try await take(record) }
        guard !hasEnded else { return nil }
        do {
            while true {
                try await makeRoom()
                let (ready, ending) = channel.takeReady()
                if let ending {
                    stop()
                    try ending.get()
                    return nil
                }
                self.ready = ready
                if let record = self.ready.popLast() { return try await take(record) }
                try Task.checkCancellation()
                if channel.spin() { continue }
                await channel.waitForResult()
                try Task.checkCancellation()
            }
        } catch {
            stop()
            throw error
        }
    }

    private func take(_ record: ChannelRecord) async throws -> Value {
        unreportedReads += 1
        do {
            let value = try ResultRecord<Value>.takeResult(of: record)
            if unreportedReads >= channel.leastRoom { try await makeRoom() }
            return value
        } catch {
            stop()
            throw error
        }
    }

    /// Gives back the room of results that were read, and submits as many jobs as fit.
    private func makeRoom() async throws {
        if unreportedReads > 0 { channel.noteRead(unreportedReads) }
        unreportedReads = 0
        guard elements != nil else { return }
        for _ in 0..<channel.room {
            guard let element = try await elements?.next(isolation: #isolation) else {
                elements = nil
                return channel.end(nil)
            }
            do {
                guard try await Self.submit(element, to: channel, transform) else { return }
            } catch {
                elements = nil
                return channel.end(error)
            }
        }
    }

    private func stop() {
        hasEnded = true
        ready = []
        elements = nil
        pump?.cancel()
        channel.abandon()
    }

    private static func submit(
        _ element: Elements.Element, to channel: ResultChannel,
        _ transform: @escaping @Sendable (Elements.Element) async throws -> Value
    ) async throws -> Bool {
        let record = ResultRecord<Value>(channel)
        return try await channel.submit(record, record.keeping(element, transform))
    }

    private static func feed(
        _ channel: ResultChannel, _ elements: Elements,
        _ transform: @escaping @Sendable (Elements.Element) async throws -> Value
    ) async {
        do {
            var elements = elements.makeAsyncIterator()
            while await channel.waitForRoom() > 0 {
                guard let element = try await elements.next() else { break }
                guard try await submit(element, to: channel, transform) else { break }
            }
            channel.end(nil)
        } catch {
            channel.end(error)
        }
    }
}

/// Marks an async sequence whose elements never have to be awaited.
protocol ReadyElements {}
