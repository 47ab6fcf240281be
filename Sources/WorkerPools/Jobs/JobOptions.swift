/// Settings of a single job that differ from its pool's.
public struct JobOptions: Sendable {
    /// Boxed, and absent for most jobs, because options are copied with every job.
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

    /// The pool's settings.
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

    /// Included in errors and callbacks.
    public var name: String? {
        get { details?.name }
        set { details = Details(name: newValue, timeout: timeout, retry: retry) }
    }

    /// Limit of each attempt; nil for the pool's. Zero or less means the shortest possible limit.
    public var timeout: Duration? {
        get { details?.timeout }
        set { details = Details(name: name, timeout: newValue, retry: retry) }
    }

    /// nil for the pool's; `RetryPolicy(times: 0)` turns retries off.
    public var retry: RetryPolicy? {
        get { details?.retry }
        set { details = Details(name: name, timeout: timeout, retry: newValue) }
    }
}
