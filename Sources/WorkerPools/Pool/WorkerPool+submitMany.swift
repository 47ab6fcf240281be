extension WorkerPool {
    /// Queues many jobs with few looks at the queue: about a quarter of the price of submitting them one by one.
    ///
    /// Waits for room as often as it must, if the pool is to suspend then.
    /// - Throws: as ``submit(priority:_:)``; jobs before the one that was refused have been accepted.
    public func submit(
        contentsOf jobs: some Sequence<@Sendable () async throws -> Void>, priority: JobPriority = .normal
    ) async throws {
        var batch: [Job] = []
        batch.reserveCapacity(256)
        for job in jobs {
            batch.append(storage.makeJob(.closure(job), priority: priority))
            if batch.count == 256 {
                try await enter(batch)
                batch.removeAll(keepingCapacity: true)
            }
        }
        try await enter(batch)
    }

    private func enter(_ batch: [Job]) async throws {
        var left = batch[...]
        while !left.isEmpty {
            let (accepted, wake, growth) = storage.state.withLock { $0.offer(left) }
            storage.perform(wake)
            storage.perform(growth)
            left = left.dropFirst(accepted)
            if let next = left.popFirst() { try await storage.enter(next) }
        }
    }
}
