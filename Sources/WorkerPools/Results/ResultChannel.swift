import Synchronization

/// The queue between the submitter of a stream's jobs and its reader, with its lock.
final class ResultChannel: Sendable {
    let storage: PoolStorage
    let leastRoom: Int
    private let isOrdered: Bool
    private let queue: Guarded<ResultQueue>
    /// Whether an unordered result may have arrived since the reader took the last ones.
    private let hasNewResult = Atomic(false)

    init(_ storage: PoolStorage, window: Int, order: ResultOrder) {
        self.storage = storage
        isOrdered = order == .input
        let workers = storage.configuration.workers.upperBound
        let queue = ResultQueue(window: window, workers: workers, isOrdered: isOrdered)
        leastRoom = queue.leastRoom
        self.queue = Guarded(queue)
    }

    // For the submitter.

    var room: Int { queue.withLock { $0.room } }

    /// - Returns: 0 if the reader is gone.
    func waitForRoom() async -> Int {
        while true {
            let (room, isAbandoned) = queue.withLock { ($0.room, $0.isAbandoned) }
            if room > 0 || isAbandoned { return room }
            await withUnsafeContinuation { continuation in
                if !queue.withLock({ $0.waitForRoom(continuation) }) { continuation.resume() }
            }
        }
    }

    /// - Returns: false if the reader is gone.
    func submit(_ record: ChannelRecord, _ body: @escaping @Sendable () async throws -> Void) async throws -> Bool {
        guard queue.withLock({ $0.issue(record) }) else { return false }
        do {
            try await storage.enter(storage.makeJob(.asynchronous(body), record, priority: .normal), whenFull: .suspend)
            return true
        } catch {
            queue.withLock { $0.withdraw(record) }
            throw error
        }
    }

    func end(_ error: (any Error)?) { queue.withLock { $0.end(error) }?.resume() }

    // For workers.

    func put(_ record: ChannelRecord) {
        record.hasEnded.store(true, ordering: .sequentiallyConsistent)
        if !isOrdered {
            queue.withLock { $0.put(record) }?.resume()
            hasNewResult.store(true, ordering: .releasing)
        } else if record.isAwaited.load(ordering: .sequentiallyConsistent) {
            queue.withLock { $0.takeReader() }?.resume()
        }
    }

    // For the reader.

    func noteRead(_ count: Int) { queue.withLock { $0.noteRead(count) }?.resume() }

    /// - Returns: also how the stream ended, if there is nothing left of it.
    func takeReady() -> (ready: [ChannelRecord], ending: Result<Void, any Error>?) {
        hasNewResult.store(false, ordering: .relaxed)
        return queue.withLock { queue in
            let ready = queue.takeReady()
            return (ready, ready.isEmpty ? queue.ending : nil)
        }
    }

    /// Spins for a result for about 2 µs: less than it takes to sleep and be woken.
    func spin() -> Bool {
        let first = isOrdered ? queue.withLock { $0.first } : nil
        if isOrdered, first == nil { return false }
        for _ in 0..<2000 {
            if first?.hasEnded.load(ordering: .acquiring) ?? hasNewResult.load(ordering: .acquiring) { return true }
        }
        return false
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

    /// The reader is gone, or has seen an error.
    func abandon() {
        let (waiting, left) = queue.withLock { $0.abandon() }
        for continuation in waiting { continuation.resume() }
        for record in left { storage.cancel(record) }
    }
}
