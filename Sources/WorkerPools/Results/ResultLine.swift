import Synchronization

/// The queue between the one who submits a stream's jobs and its reader, with its lock.
final class ResultLine<Value: Sendable>: Sendable {
    let storage: PoolStorage
    let leastRoom: Int
    private let isOrdered: Bool
    private let queue: Guarded<ResultQueue<Value>>

    init(_ storage: PoolStorage, window: Int, order: ResultOrder) {
        self.storage = storage
        isOrdered = order == .input
        let workers = storage.configuration.workers.upperBound
        let queue = ResultQueue<Value>(window: window, workers: workers, isOrdered: isOrdered)
        leastRoom = queue.leastRoom
        self.queue = Guarded(queue)
    }

    // For the one who submits.

    var room: Int { queue.withLock { $0.room } }

    /// - Returns: 0 if the reader has gone.
    func waitForRoom() async -> Int {
        while true {
            let (room, isAbandoned) = queue.withLock { ($0.room, $0.isAbandoned) }
            if room > 0 || isAbandoned { return room }
            await withUnsafeContinuation { continuation in
                if !queue.withLock({ $0.waitForRoom(continuation) }) { continuation.resume() }
            }
        }
    }

    /// - Returns: false if the reader has gone.
    func submit(_ make: @escaping @Sendable () async throws -> Value) async throws -> Bool {
        let record = LineRecord(self)
        guard queue.withLock({ $0.issue(record) }) else { return false }
        do {
            try await storage.enter(storage.makeJob({ record.keep(try await make()) }, record, priority: .normal))
            return true
        } catch {
            queue.withLock { $0.withdraw(record) }
            throw error
        }
    }

    func end(_ error: (any Error)?) { queue.withLock { $0.end(error) }?.resume() }

    // For workers.

    func put(_ record: LineRecord<Value>) {
        record.hasEnded.store(true, ordering: .sequentiallyConsistent)
        if !isOrdered {
            queue.withLock { $0.put(record) }?.resume()
        } else if record.isAwaited.load(ordering: .sequentiallyConsistent) {
            queue.withLock { $0.takeReader() }?.resume()
        }
    }

    // For the reader.

    func noteRead(_ count: Int) { queue.withLock { $0.noteRead(count) }?.resume() }

    /// - Returns: also how the stream has ended, if there is nothing left of it.
    func takeReady() -> (ready: [LineRecord<Value>], ending: Result<Void, any Error>?) {
        queue.withLock { queue in
            let ready = queue.takeReady()
            return (ready, ready.isEmpty ? queue.ending : nil)
        }
    }

    func waitForResult() async {
        await withTaskCancellationHandler {
            await storage.whileWaiting {
                await withUnsafeContinuation { continuation in
                    if !queue.withLock({ $0.waitForResult(continuation) }) { continuation.resume() }
                }
            }
        } onCancel: {
            abandon()
        }
    }

    /// The reader has gone, or has seen an error.
    func abandon() {
        let (waiting, left) = queue.withLock { $0.abandon() }
        for continuation in waiting { continuation.resume() }
        for record in left { storage.cancel(record) }
    }
}

/// A job whose result goes into a line.
final class LineRecord<Value: Sendable>: OpenRecord, @unchecked Sendable {  // see each property for what orders it
    /// Set by the reader that waits for this one.
    let isAwaited = Atomic(false)
    private let line: ResultLine<Value>
    /// Written by the attempt under way and by whoever settles the job; read after `hasEnded`.
    private var value: Value?
    private var end: JobEnd?

    init(_ line: ResultLine<Value>) {
        self.line = line
        super.init(options: JobOptions())
    }

    func keep(_ value: Value) { self.value = value }

    override func settle(_ end: JobEnd) {
        self.end = end
        line.put(self)
    }

    func takeResult() throws -> Value {
        switch end {
        case .done:
            guard let value else { preconditionFailure("a job was settled as done before it had a value") }
            return value
        case .failed(let error): throw error
        case .stopped(let error): throw error
        case nil: preconditionFailure("a result was read before its job had ended")
        }
    }
}
