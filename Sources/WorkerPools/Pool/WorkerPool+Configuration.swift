extension WorkerPool {
    /// How a pool behaves. The defaults suit short jobs on all cores.
    public struct Configuration: Sendable {
        /// Included in errors and metrics.
        public var name: String
        /// The fewest and the most jobs run at once. A pool with equal bounds, `4...4`, keeps its
        /// size.
        public var workers: ClosedRange<Int>
        public var queue: QueueCapacity
        public var whenFull: FullQueuePolicy
        /// Limit of each attempt, from its start. The attempt is then cancelled, but holds its slot
        /// until it has really ended; its result is discarded and counted in ``PoolCounters/late``.
        /// Zero or less means the shortest possible limit.
        public var timeout: Duration?
        public var retry: RetryPolicy?
        /// Where jobs run; nil for Swift's cooperative pool, on which jobs must not block. Jobs
        /// that block or compute belong on a ``ThreadExecutor``.
        public var executor: (any TaskExecutor)?
        /// 1 to 64 levels of ``JobPriority``.
        public var priorityLevels: Int
        /// A level that was passed over this often is served next, though never two such levels in
        /// a row.
        public var ageing: Int
        public var sizing: SizingPolicy
        /// How many jobs a thread may take from the queue at a time, 1 to 128. Above 1, if recent
        /// jobs were short, a thread prefetches as many as it finishes in 128 µs, and with several
        /// workers neighbours may begin out of order by that many. Those not begun after a
        /// millisecond or two go to any free worker. 1 hands out strictly one at a time, which jobs
        /// that wait for younger ones need.
        public var longestRun: Int
        public var lock: LockChoice
        /// Time for timeouts, retries and sizing; nil for ``WheelThread/shared``.
        public var alarms: (any Alarms)?
        /// Called after each failed attempt, by the worker, before it takes its next job. An error
        /// that it throws is counted in ``PoolCounters/callbackFailures`` and goes no further.
        public var onFailure: (@Sendable (FailedAttempt) async throws -> Void)?

        public init(
            name: String = "pool",
            workers: ClosedRange<Int> = 1...WorkerPool.coreCount,
            queue: QueueCapacity = .bounded(1024),
            whenFull: FullQueuePolicy = .suspend,
            timeout: Duration? = nil,
            retry: RetryPolicy? = nil,
            executor: (any TaskExecutor)? = nil,
            priorityLevels: Int = 3,
            ageing: Int = 16,
            sizing: SizingPolicy = .doubling(),
            longestRun: Int = 128,
            lock: LockChoice = .parking,
            alarms: (any Alarms)? = nil,
            onFailure: (@Sendable (FailedAttempt) async throws -> Void)? = nil
        ) {
            self.name = name
            self.workers = workers
            self.queue = queue
            self.whenFull = whenFull
            self.timeout = timeout
            self.retry = retry
            self.executor = executor
            self.priorityLevels = priorityLevels
            self.ageing = ageing
            self.sizing = sizing
            self.longestRun = longestRun
            self.lock = lock
            self.alarms = alarms
            self.onFailure = onFailure
        }

        /// A pool that always runs up to `workers` jobs at once.
        public init(name: String = "pool", workers: Int, queue: QueueCapacity = .bounded(1024)) {
            self.init(name: name, workers: workers...workers, queue: queue)
        }

        func check() {
            demand(workers.lowerBound > 0, "pool '\(name)' needs at least one worker, not \(workers)")
            demand(queue.limit > 0, "pool '\(name)' needs room for at least one job in its queue")
            demand((1...64).contains(priorityLevels), "pool '\(name)' needs 1 to 64 priority levels, not \(priorityLevels)")
            demand((1...PrefetchQueue.capacity).contains(longestRun), "pool '\(name)': `longestRun` is 1 to 128 jobs, not \(longestRun)")
            demand(ageing > 0, "pool '\(name)': `ageing` must be at least 1, not \(ageing)")
        }
    }

    /// The processors that are online.
    public static var coreCount: Int { OperatingSystem.coreCount }
}

/// An attempt that did not succeed, as the error callback sees it.
public struct FailedAttempt: Sendable {
    /// The job's name, if it was given one.
    public var job: String?
    public var error: any Error
    /// 1 for the first.
    public var attempt: Int
    /// How long the job waits before its next attempt; nil if this was the last.
    public var retryAfter: Duration?
}
