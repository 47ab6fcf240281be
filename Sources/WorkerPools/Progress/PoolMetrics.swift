public import Metrics

/// Reports a pool's counters to swift-metrics, as `worker_pool_…` with the dimension `pool`.
///
/// Gauges: `queued`, `running`, `retrying`, `workers`, `suspended`. Counters: `accepted`,
/// `rejected`, `done`, `failed`, `retried`, `timed_out`, `cancelled`, `dropped`, `late`. No work is
/// done per job: figures are reported when ``report()`` is called, which
/// ``WorkerPool/reportMetrics(every:to:)`` does at intervals.
public final class PoolMetrics: Sendable {
    private let pool: PoolStorage
    private typealias Reported<Metric> = (value: @Sendable (PoolCounters) -> Int, metric: Metric)

    private let gauges: [Reported<Gauge>]
    private let counters: [Reported<Counter>]
    /// What each of the counters has been told so far.
    private let reported: Guarded<[Int]>

    /// - Parameters:
    ///   - pool: the one to report; it may be released earlier.
    ///   - factory: nil for the one that `MetricsSystem` was bootstrapped with.
    public init(_ pool: WorkerPool, factory: (any MetricsFactory)? = nil) {
        self.pool = pool.storage
        let factory = factory ?? MetricsSystem.factory
        let dimensions = [("pool", pool.name)]
        func gauge(_ name: String, _ value: @escaping @Sendable (PoolCounters) -> Int) -> Reported<Gauge> {
            (value, Gauge(label: "worker_pool_\(name)", dimensions: dimensions, factory: factory))
        }
        func counter(_ name: String, _ value: @escaping @Sendable (PoolCounters) -> Int) -> Reported<Counter> {
            (value, Counter(label: "worker_pool_\(name)", dimensions: dimensions, factory: factory))
        }
        gauges = [
            gauge("queued", \.queued), gauge("running", \.running), gauge("retrying", \.retrying), gauge("workers", \.workers),
            gauge("suspended", \.suspended),
        ]
        counters = [
            counter("accepted", \.accepted), counter("rejected", \.rejected), counter("done", \.done), counter("failed", \.failed),
            counter("retried", \.retried), counter("timed_out", \.timedOut), counter("cancelled", \.cancelled),
            counter("dropped", \.dropped), counter("late", \.late),
        ]
        reported = Guarded(Array(repeating: 0, count: counters.count))
    }

    /// Reports the current figures; counters by what was added since the last report.
    public func report() { report(pool.counters) }

    /// If several run at once, one may be overtaken by another with newer counters; it then has
    /// nothing left to add.
    func report(_ now: PoolCounters) {
        let added = reported.withLock { reported in
            zip(counters, reported.indices).map { entry, index in
                let total = max(reported[index], entry.value(now))
                defer { reported[index] = total }
                return total - reported[index]
            }
        }
        for (value, gauge) in gauges { gauge.record(value(now)) }
        for (entry, number) in zip(counters, added) where number > 0 { entry.metric.increment(by: number) }
    }
}

extension WorkerPool {
    /// Reports to swift-metrics at intervals; returns when the pool has ended or the task is
    /// cancelled.
    public func reportMetrics(every interval: Duration, to factory: (any MetricsFactory)? = nil) async {
        let metrics = PoolMetrics(self, factory: factory)
        for await _ in snapshots(every: interval) { metrics.report() }
    }
}
