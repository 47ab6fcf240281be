/// What a single job wants otherwise than its pool.
public struct JobOptions: Sendable {
    /// In an object of its own, which most jobs do without: options are copied with every job.
    @usableFromInline
    final class Details: Sendable {
        let name: String?
        let timeout: Duration?
        let retry: RetryPolicy?

        init(name: String?, timeout: Duration?, retry: RetryPolicy?) {
            self.name = name
            self.timeout = timeout
            self.retry = retry
        }
    }

    @usableFromInline private(set) var details: Details?
    public var priority: JobPriority

    /// Nothing otherwise.
    @inlinable
    public init() {
        details = nil
        priority = .normal
    }

    public init(
        name: String? = nil, priority: JobPriority = .normal, timeout: Duration? = nil, retry: RetryPolicy? = nil
    ) {
        self.priority = priority
        guard name != nil || timeout != nil || retry != nil else { return }
        details = Details(name: name, timeout: timeout, retry: retry)
    }

    /// Named in errors and callbacks.
    public var name: String? {
        get { details?.name }
        set { details = Details(name: newValue, timeout: timeout, retry: retry) }
    }

    /// Limit of each attempt; nil takes the pool's. One of zero or less is the shortest that there is.
    public var timeout: Duration? {
        get { details?.timeout }
        set { details = Details(name: name, timeout: newValue, retry: retry) }
    }

    /// nil takes the pool's; `RetryPolicy(times: 0)` switches retries off.
    public var retry: RetryPolicy? {
        get { details?.retry }
        set { details = Details(name: name, timeout: timeout, retry: newValue) }
    }
}
