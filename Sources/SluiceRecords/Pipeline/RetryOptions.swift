public struct RetryOptions: Sendable {
    /// Attempts after the first.
    public var times: Int
    /// Before the first retry; doubles from retry to retry, with full jitter.
    public var backoff: Duration
    public var maxBackoff: Duration

    public init(times: Int, backoff: Duration = .milliseconds(200), maxBackoff: Duration = .seconds(30)) {
        self.times = times
        self.backoff = backoff
        self.maxBackoff = maxBackoff
    }
}
