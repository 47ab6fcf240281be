/// How many jobs may wait in a pool's queue.
public enum QueueCapacity: Sendable, Hashable {
    /// At most this many, at least 1.
    case bounded(Int)
    /// As many as memory holds.
    case unbounded

    var limit: Int {
        switch self {
        case .bounded(let count): count
        case .unbounded: .max
        }
    }
}

/// What a pool does with a job that finds the queue full.
public enum FullQueuePolicy: Sendable, Hashable {
    /// The submitter waits until the queue has run down to half: backpressure.
    case suspend
    /// The submitter gets ``PoolError/full(pool:capacity:)``.
    case reject
    /// The submitter runs the job itself, alongside the pool's workers; it is then not counted in
    /// `running`. There is one attempt, without a time limit, which is cancelled only with the
    /// submitter's task, not by its group or with the pool.
    case runInCaller
    /// The job that has waited longest on the lowest level in use is dropped.
    case dropOldest
    /// The new job itself is dropped: accepted, counted, never run.
    case dropNewest
}
