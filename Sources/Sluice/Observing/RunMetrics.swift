public import Metrics
internal import Synchronization

/// Reports a run's counters to swift-metrics, with the dimension `pipeline`; those of stages have
/// the dimension `stage`, too.
///
/// Counters: `sluice_read`, `sluice_written`, `sluice_dead_letters`; `sluice_stage_in`,
/// `sluice_stage_out`, `sluice_stage_filtered`, `sluice_stage_dropped`, `sluice_stage_dead`,
/// `sluice_stage_retried`, `sluice_stage_timed_out`. Gauges: `sluice_stage_queued`,
/// `sluice_stage_running`, `sluice_stage_workers`. No work is done per element: figures are
/// reported when ``report()`` is called, which ``RunControl/reportMetrics(of:every:to:)`` does at
/// intervals.
public final class RunMetrics: Sendable {
    /// The totals and levels of a run at one moment.
    package struct Figures: Sendable {
        package struct Figure: Sendable {
            package var label: String
            /// `nil`: of the whole run.
            package var stage: String?
            package var value: Int

            package init(_ label: String, of stage: String? = nil, _ value: Int) { (self.label, self.stage, self.value) = (label, stage, value) }
        }

        package var counters: [Figure]
        package var gauges: [Figure]

        package init(counters: [Figure], gauges: [Figure]) { (self.counters, self.gauges) = (counters, gauges) }
    }

    private struct Key: Hashable {
        var label: String
        var stage: String?
    }

    private struct State {
        /// What each counter has been told so far.
        var counters: [Key: (counter: Counter, told: Int)] = [:]
        var gauges: [Key: Gauge] = [:]
    }

    private let pipeline: String
    private let factory: any MetricsFactory
    private let read: @Sendable () -> Figures
    private let state = Locked(State())

    /// - Parameters:
    ///   - control: that of the run to report, which may begin later.
    ///   - pipeline: the value of the dimension `pipeline`.
    ///   - factory: `nil` for the one that `MetricsSystem` was bootstrapped with.
    public convenience init(_ control: RunControl, pipeline: String, factory: (any MetricsFactory)? = nil) {
        self.init(pipeline: pipeline, factory: factory) { Figures(control.snapshot) }
    }

    package init(pipeline: String, factory: (any MetricsFactory)?, read: @escaping @Sendable () -> Figures) {
        (self.pipeline, self.read) = (pipeline, read)
        self.factory = factory ?? MetricsSystem.factory
    }

    /// Reports the current figures; counters by what was added since the last report.
    public func report() {
        let figures = read()
        var added: [(Counter, Int)] = []
        var levels: [(Gauge, Int)] = []
        state.withLock { state in
            for figure in figures.counters {
                let key = Key(label: figure.label, stage: figure.stage)
                var entry = state.counters[key] ?? (Counter(label: key.label, dimensions: dimensions(key), factory: factory), 0)
                let more = max(0, figure.value - entry.told)
                entry.told += more
                state.counters[key] = entry
                if more > 0 { added.append((entry.counter, more)) }
            }
            for figure in figures.gauges {
                let key = Key(label: figure.label, stage: figure.stage)
                let gauge = state.gauges[key] ?? Gauge(label: key.label, dimensions: dimensions(key), factory: factory)
                state.gauges[key] = gauge
                levels.append((gauge, figure.value))
            }
        }
        for (counter, number) in added { counter.increment(by: number) }
        for (gauge, level) in levels { gauge.record(level) }
    }

    private func dimensions(_ key: Key) -> [(String, String)] {
        [("pipeline", pipeline)] + (key.stage.map { [("stage", $0)] } ?? [])
    }
}

extension RunMetrics.Figures {
    fileprivate init(_ report: Report) {
        var counters = [Figure("sluice_read", report.read), Figure("sluice_written", report.written), Figure("sluice_dead_letters", report.deadLetters)]
        var gauges: [Figure] = []
        for stage in report.stages {
            counters += Self.counters(of: stage.name, stage.counts)
            counters += [Figure("sluice_stage_retried", of: stage.name, stage.retries), Figure("sluice_stage_timed_out", of: stage.name, stage.timeouts)]
            gauges += Self.gauges(of: stage)
        }
        self.init(counters: counters, gauges: gauges)
    }

    package static func counters(of stage: String, _ counts: StageCounts) -> [Figure] {
        [
            Figure("sluice_stage_in", of: stage, counts.in), Figure("sluice_stage_out", of: stage, counts.out),
            Figure("sluice_stage_filtered", of: stage, counts.filtered), Figure("sluice_stage_dropped", of: stage, counts.dropped),
            Figure("sluice_stage_dead", of: stage, counts.dead),
        ]
    }

    package static func gauges(of stage: Report.Stage) -> [Figure] {
        [
            Figure("sluice_stage_queued", of: stage.name, stage.queued), Figure("sluice_stage_running", of: stage.name, stage.running),
            Figure("sluice_stage_workers", of: stage.name, stage.workers.now),
        ]
    }
}

extension RunControl {
    /// Reports to swift-metrics at intervals; returns when the run has ended or the task is
    /// cancelled.
    ///
    /// - Parameters:
    ///   - pipeline: the value of the dimension `pipeline`.
    ///   - factory: `nil` for the one that `MetricsSystem` was bootstrapped with.
    public func reportMetrics(of pipeline: String, every interval: Duration, to factory: (any MetricsFactory)? = nil) async {
        let metrics = RunMetrics(self, pipeline: pipeline, factory: factory)
        await metrics.report(every: interval) { self.snapshot.status != .running }
    }
}

extension RunMetrics {
    /// Reports at intervals, and once more when the run has ended.
    package func report(every interval: Duration, hasEnded: @Sendable () -> Bool) async {
        while true {
            let isLast = hasEnded()
            report()
            if isLast { return }
            do {
                try await ContinuousClock().sleep(for: interval)
            } catch {
                return report()
            }
        }
    }
}
