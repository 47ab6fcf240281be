/// Takes elements, submits a job for each, and hands the results to the reader. Owned by the reader's iterator: its task
/// is cancelled when that goes.
final class ResultPump<Value: Sendable>: Sendable {
    private let line: ResultLine<Value>
    private let task: Task<Void, Never>

    init<Elements>(_ results: PoolResults<Elements, Value>) {
        let line = ResultLine<Value>(results)
        self.line = line
        task = Task.detached { await line.pump(results) }
    }

    deinit {
        stop()
    }

    func next() async throws -> Value? {
        do {
            return try await withTaskCancellationHandler {
                try await line.next()
            } onCancel: {
                stop()
            }
        } catch {
            stop()
            throw error
        }
    }

    private func stop() {
        task.cancel()
        line.abandon()
    }
}

/// The queue between the pump and the reader, with its lock, and the jobs under way.
final class ResultLine<Value: Sendable>: Sendable {
    private let queue: Guarded<ResultQueue<Value>>
    private let records = Guarded<[Int: LineRecord<Value>]>([:])
    private let storage: PoolStorage

    init<Elements>(_ results: PoolResults<Elements, Value>) {
        queue = Guarded(ResultQueue(window: results.window, isOrdered: results.order == .input))
        storage = results.storage
    }

    func pump<Elements>(_ results: PoolResults<Elements, Value>) async {
        do {
            for try await element in results.elements {
                guard let place = await waitForRoom() else { return }
                let record = LineRecord(self, at: place)
                records.withLock { $0[place] = record }
                let body: @Sendable () async throws -> Void = { record.keep(try await results.transform(element)) }
                try await storage.enter(storage.makeJob(body, record, priority: .normal))
            }
            queue.withLock { $0.end(nil) }?.resume()
        } catch {
            queue.withLock { $0.end(error) }?.resume()
        }
    }

    func next() async throws -> Value? {
        while true {
            if let (arrival, pump) = queue.withLock({ $0.next() }) {
                pump?.resume()
                switch arrival {
                case .value(let value): return value
                case .failure(let error): throw error
                case .end: return nil
                }
            }
            try Task.checkCancellation()
            await storage.whileWaiting {
                await withUnsafeContinuation { continuation in
                    if !queue.withLock({ $0.waitForResult(continuation) }) { continuation.resume() }
                }
            }
        }
    }

    func put(_ arrival: ResultQueue<Value>.Arrival, at place: Int) {
        records.withLock { _ = $0.removeValue(forKey: place) }
        queue.withLock { $0.put(arrival, at: place) }?.resume()
    }

    /// The reader has gone, or has seen an error.
    func abandon() {
        for waiting in queue.withLock({ $0.abandon() }) { waiting.resume() }
        for record in records.withLock({ Array($0.values) }) { storage.cancel(record) }
    }

    private func waitForRoom() async -> Int? {
        while true {
            switch queue.withLock({ $0.issue() }) {
            case .place(let place): return place
            case .abandoned: return nil
            case .none:
                await withUnsafeContinuation { continuation in
                    if !queue.withLock({ $0.waitForRoom(continuation) }) { continuation.resume() }
                }
            }
        }
    }
}

/// A job whose result goes into a line.
final class LineRecord<Value: Sendable>: JobRecord, @unchecked Sendable {  // `value` is ordered by the pool, as in ValueRecord
    private let line: ResultLine<Value>
    private let place: Int
    private var value: Value?

    init(_ line: ResultLine<Value>, at place: Int) {
        self.line = line
        self.place = place
        super.init(options: JobOptions())
    }

    func keep(_ value: Value) { self.value = value }

    override func settle(_ end: JobEnd) {
        switch end {
        case .done:
            guard let value else { preconditionFailure("a job was settled as done before it had a value") }
            line.put(.value(value), at: place)
        case .failed(let error): line.put(.failure(error), at: place)
        case .stopped(let error): line.put(.failure(error), at: place)
        }
    }
}
