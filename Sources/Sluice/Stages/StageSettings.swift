public import WorkerPools

public typealias RetryPolicy = WorkerPools.RetryPolicy

extension RetryPolicy {
    /// So many further attempts, each after a random wait of up to twice as long as the one before
    /// it.
    ///
    /// - Parameters:
    ///   - backoff: the longest wait before the first of them.
    ///   - maxBackoff: no wait is longer.
    public static func times(
        _ times: Int, backoff: Duration = .milliseconds(100), maxBackoff: Duration = .seconds(30)
    ) -> RetryPolicy {
        RetryPolicy(times: times, backoff: backoff, maxBackoff: maxBackoff)
    }
}

/// Everything about a stage but what it does.
struct StageSettings: Sendable {
    var name: String
    var concurrency: Concurrency = 1
    /// Elements that may wait for a worker; nil leaves it to the concurrency.
    var queue: Int?
    var timeout: Duration?
    var retry: RetryPolicy?
    /// nil: to the dead letters if the pipeline has a sink for them, else the run stops.
    var onError: FailurePolicy?

    var capacity: Int { queue ?? max(16, 2 * concurrency.range.upperBound) }
}
