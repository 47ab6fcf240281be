import DequeModule

/// The window between the jobs of a stream and the reader of their results.
final class ResultChannel<Value: Sendable>: Sendable {
    private struct State {
        /// In the order of the elements: the results of all jobs that the reader has not taken, nil
        /// for those that have none yet. In that of completion: those that there are. After the
        /// last, how the elements ended, with nil for a value.
        var results: Deque<Result<Value?, any Error>?> = []
        var issued = 0
        var taken = 0
        var isAbandoned = false
        var pump: UnsafeContinuation<Void, Never>?
        var reader: UnsafeContinuation<Void, Never>?
    }

    private let storage: PoolStorage
    private let group: JobGroup
    private let order: ResultOrder
    private let window: Int
    /// The pump is woken when there is room for this many jobs again. That keeps wake-ups few, but
    /// never leaves so few jobs in progress that a worker has nothing to do.
    private let leastRoom: Int
    private let state = Guarded(State())

    init(_ storage: PoolStorage, window: Int, order: ResultOrder) {
        self.storage = storage
        self.window = window
        self.order = order
        group = JobGroup(storage, rule: .collect, whenFull: .suspend)
        leastRoom = max(1, min(window / 2, window - storage.configuration.workers.upperBound))
    }

    // For the pump, which takes the elements.

    /// - Returns: false if the reader is gone.
    func waitForRoom() async -> Bool {
        await suspend { continuation in
            state.withLock { state in
                guard !state.isAbandoned, state.issued - state.taken == window else { return false }
                state.pump = continuation
                return true
            }
        }
        return state.withLock { !$0.isAbandoned }
    }

    func submit(_ work: @escaping @Sendable () async throws -> Value) async throws {
        let number = state.withLock { state in
            if order == .input { state.results.append(nil) }
            defer { state.issued += 1 }
            return state.issued
        }
        let record = ValueRecord<Value, any Error, Value?>(options: JobOptions(), .asynchronous(work)) { [group] record, end in
            let record = unsafeDowncast(record, to: ValueRecord<Value, any Error, Value?>.self)
            self.put(record.result(of: end).map(Optional.some).mapError(\.cause), number)
            group.noteEnd(of: record, end)
        }
        do {
            try await group.submit(record, record.asynchronousBody)
        } catch {
            if order == .input { state.withLock { _ = $0.results.popLast() } }
            throw error
        }
    }

    /// No more jobs come; the reader gets the error after all results.
    func end(_ ending: Result<Value?, any Error>) async {
        _ = await group.waitForAll()
        let reader = state.withLock { state in
            if !state.isAbandoned { state.results.append(ending) }
            return state.reader.take()
        }
        reader?.resume()
    }

    // For workers.

    private func put(_ result: Result<Value?, any Error>, _ number: Int) {
        let reader = state.withLock { state -> UnsafeContinuation<Void, Never>? in
            guard !state.isAbandoned else { return nil }
            if order == .completion {
                state.results.append(result)
                return state.reader.take()
            }
            state.results[number - state.taken] = result
            return number == state.taken ? state.reader.take() : nil
        }
        reader?.resume()
    }

    // For the reader.

    /// - Returns: the next result, or how the stream ends, with nil for a value; nil if there is
    ///   nothing yet.
    func take() -> Result<Value?, any Error>? {
        let (finding, pump) = state.withLock { state -> (Result<Value?, any Error>?, UnsafeContinuation<Void, Never>?) in
            guard case .some(.some(let finding)) = state.results.first else { return (nil, nil) }
            state.results.removeFirst()
            state.taken += 1
            let isRoomy = window - (state.issued - state.taken) >= leastRoom
            return (finding, isRoomy ? state.pump.take() : nil)
        }
        pump?.resume()
        return finding
    }

    /// Returns when ``take()`` may find something, or the task is cancelled.
    func waitForResult() async {
        await withTaskCancellationHandler {
            await storage.whileWaiting {
                await suspend { continuation in
                    state.withLock { state in
                        if case .some(.some) = state.results.first { return false }
                        guard !state.isAbandoned else { return false }
                        state.reader = continuation
                        return true
                    }
                }
            }
        } onCancel: {
            abandon()
        }
    }

    /// The reader is gone, or has seen an error.
    func abandon() {
        // The results are freed once the lock is released, since what they hold may use the pool.
        let (waiting, _) = state.withLock { state in
            state.isAbandoned = true
            return ([state.pump.take(), state.reader.take()], exchange(&state.results, with: []))
        }
        for continuation in waiting { continuation?.resume() }
        group.cancel()
    }
}
