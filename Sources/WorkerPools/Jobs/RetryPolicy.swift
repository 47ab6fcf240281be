/// How often a failed job is retried, and how long it waits before each retry.
public struct RetryPolicy: Sendable {
    /// How the wait grows from one retry to the next.
    public enum Growth: Sendable, Hashable {
        /// Always ``RetryPolicy/backoff``.
        case constant
        /// Twice as long each time: `backoff`, `2 × backoff`, `4 × backoff`, …
        case exponential
    }

    /// Retries after the first attempt; 3 means at most four attempts.
    public var times: Int
    public var backoff: Duration
    /// No wait is longer than this.
    public var maxBackoff: Duration
    public var growth: Growth
    /// Full jitter: each wait is drawn evenly between zero and what growth gives ("Exponential
    /// Backoff And Jitter", Marc Brooker, 2015), so that jobs that failed together do not come back
    /// together.
    public var jitter: Bool
    /// Whether an attempt that timed out is retried, always after that attempt has really ended.
    public var retriesTimeouts: Bool
    /// Which errors are worth another attempt. Called between attempts, outside the pool's lock.
    public var retries: @Sendable (any Error) -> Bool

    public init(
        times: Int,
        backoff: Duration = .milliseconds(100),
        maxBackoff: Duration = .seconds(30),
        growth: Growth = .exponential,
        jitter: Bool = true,
        retriesTimeouts: Bool = true,
        retries: @escaping @Sendable (any Error) -> Bool = { _ in true }
    ) {
        demand(times >= 0, "a retry policy needs 0 or more times, not \(times)")
        self.times = times
        self.backoff = backoff
        self.maxBackoff = maxBackoff
        self.growth = growth
        self.jitter = jitter
        self.retriesTimeouts = retriesTimeouts
        self.retries = retries
    }

    /// The wait after the failed attempt with this number (the first is 1).
    public func delay(attempt: Int, using random: inout some RandomNumberGenerator) -> Duration {
        let longest = maxBackoff.nanoseconds
        var wait = min(backoff.nanoseconds, longest)
        if growth == .exponential {
            let doublings = min(max(attempt - 1, 0), 63)
            wait = wait > longest >> UInt64(doublings) ? longest : wait << UInt64(doublings)
        }
        return .nanoseconds(Int64(jitter ? UInt64.random(in: 0...wait, using: &random) : wait))
    }
}
