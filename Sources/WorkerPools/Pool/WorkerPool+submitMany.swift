extension WorkerPool {
    /// Queues many jobs with few looks at the queue.
    ///
    /// Waits for room as often as it must, if the pool is to suspend then.
    /// - Throws: as ``submit(priority:_:)``; jobs before the one that was refused have been accepted.
    @inlinable
    public func submit(
        contentsOf jobs: some Sequence<@Sendable () async throws -> Void>, priority: JobPriority = .normal
    ) async throws {
        var batch = JobBatch(priority)
        for job in jobs {
            batch.append(job)
            if batch.isFull { try await enter(&batch) }
        }
        try await enter(&batch)
    }

    @usableFromInline
    func enter(_ batch: inout JobBatch) async throws {
        let level = UInt8(min(batch.priority.level, storage.configuration.priorityLevels - 1))
        var left = batch.bodies[...]
        batch.bodies = []
        while !left.isEmpty {
            let (accepted, wake, growth) = storage.state.withLock { $0.offer(left, level: level) }
            storage.perform(wake)
            storage.perform(growth)
            left = left.dropFirst(accepted)
            if let next = left.popFirst() { try await storage.enter(Job(body: next.closure, level: level)) }
        }
    }
}

/// Jobs that are submitted together.
@usableFromInline
struct JobBatch {
    let priority: JobPriority
    var bodies: ContiguousArray<Body> = []

    /// In a structure of its own: an array of bare closures wraps each of them.
    struct Body {
        var closure: @Sendable () async throws -> Void
    }

    @usableFromInline
    init(_ priority: JobPriority) { self.priority = priority }

    @usableFromInline
    var isFull: Bool { bodies.count >= 256 }

    @usableFromInline
    mutating func append(_ body: @escaping @Sendable () async throws -> Void) {
        bodies.append(Body(closure: body))
    }
}
