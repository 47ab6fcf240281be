/// What a single job wants otherwise than its pool.
public struct JobOptions: Sendable {
    /// Named in errors and callbacks.
    public var name: String?
    public var priority: JobPriority
    /// Limit of each attempt; nil takes the pool's.
    public var timeout: Duration?
    /// nil takes the pool's; `RetryPolicy(times: 0)` switches retries off.
    public var retry: RetryPolicy?

    public init(
        name: String? = nil, priority: JobPriority = .normal, timeout: Duration? = nil, retry: RetryPolicy? = nil
    ) {
        self.name = name
        self.priority = priority
        self.timeout = timeout
        self.retry = retry
    }
}
