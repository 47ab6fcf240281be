/// What an iterator over a stream of results holds. When it goes, the jobs that are left are cancelled.
///
/// Elements at hand are submitted by the reader itself, whenever enough of the window is free: so nobody has to be woken
/// for it. Those that have to be waited for are taken by a task of its own, the pump.
final class ResultReader<Elements: AsyncSequence & Sendable, Value: Sendable> where Elements.Element: Sendable {
    private let line: ResultLine
    private let transform: @Sendable (Elements.Element) async throws -> Value
    private var elements: Elements.AsyncIterator?
    private var pump: Task<Void, any Error>?
    /// Results that were taken together, the next one last.
    private var ready: [LineRecord] = []
    /// Read since the line was told so.
    private var unnoted: Int
    private var hasEnded = false

    init(_ results: PoolResults<Elements, Value>) {
        let line = ResultLine(results.storage, window: results.window, order: results.order)
        self.line = line
        transform = results.transform
        unnoted = 0
        if Elements.self is any ElementsAtHand.Type {
            elements = results.elements.makeAsyncIterator()
        } else {
            let (elements, transform) = (results.elements, results.transform)
            pump = results.storage.taskForElements { await Self.feed(line, elements, transform) }
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
                let (ready, ending) = line.takeReady()
                if let ending {
                    stop()
                    try ending.get()
                    return nil
                }
                self.ready = ready
                if let record = self.ready.popLast() { return try await take(record) }
                try Task.checkCancellation()
                if line.lookOut() { continue }
                await line.waitForResult()
                try Task.checkCancellation()
            }
        } catch {
            stop()
            throw error
        }
    }

    private func take(_ record: LineRecord) async throws -> Value {
        unnoted += 1
        do {
            let value = try ResultRecord<Value>.takeResult(of: record)
            if unnoted >= line.leastRoom { try await makeRoom() }
            return value
        } catch {
            stop()
            throw error
        }
    }

    /// Gives back the places of results that were read, and submits as many jobs as there is room for.
    private func makeRoom() async throws {
        if unnoted > 0 { line.noteRead(unnoted) }
        unnoted = 0
        guard elements != nil else { return }
        for _ in 0..<line.room {
            guard let element = try await elements?.next(isolation: #isolation) else {
                elements = nil
                return line.end(nil)
            }
            do {
                guard try await Self.submit(element, to: line, transform) else { return }
            } catch {
                elements = nil
                return line.end(error)
            }
        }
    }

    private func stop() {
        hasEnded = true
        ready = []
        elements = nil
        pump?.cancel()
        line.abandon()
    }

    private static func submit(
        _ element: Elements.Element, to line: ResultLine,
        _ transform: @escaping @Sendable (Elements.Element) async throws -> Value
    ) async throws -> Bool {
        let record = ResultRecord<Value>(line)
        return try await line.submit(record, record.keeping(element, transform))
    }

    private static func feed(
        _ line: ResultLine, _ elements: Elements,
        _ transform: @escaping @Sendable (Elements.Element) async throws -> Value
    ) async {
        do {
            var elements = elements.makeAsyncIterator()
            while await line.waitForRoom() > 0 {
                guard let element = try await elements.next() else { break }
                guard try await submit(element, to: line, transform) else { break }
            }
            line.end(nil)
        } catch {
            line.end(error)
        }
    }
}

/// Says that the elements of an async sequence need not be waited for.
protocol ElementsAtHand {}
