public import Metrics
import Sluice

extension RecordControl {
    /// Reports the run to swift-metrics at intervals; returns when the run has ended or the task is
    /// cancelled.
    ///
    /// The names are those of `RunMetrics`, for records, with `sluice_text_bytes` and
    /// `sluice_compressed_bytes` for what was read. `sluice_stage_queued`, `sluice_stage_running`
    /// and `sluice_stage_workers` are of batches. Counters go on with what an earlier process has
    /// counted, if this one resumes its run.
    ///
    /// - Parameters:
    ///   - pipeline: the value of the dimension `pipeline`.
    ///   - factory: `nil` for the one that `MetricsSystem` was bootstrapped with.
    public func reportMetrics(of pipeline: String, every interval: Duration, to factory: (any MetricsFactory)? = nil) async {
        let metrics = RunMetrics(pipeline: pipeline, factory: factory) { [weak self] in
            self?.run?.figures ?? RunMetrics.Figures(counters: [], gauges: [])
        }
        await metrics.report(every: interval) { hasEnded }
    }
}

extension RecordRun {
    /// For ``RunMetrics``.
    fileprivate var figures: RunMetrics.Figures {
        typealias Figure = RunMetrics.Figures.Figure
        let (now, books) = meter.all
        var counters = [
            Figure("sluice_read", now.records), Figure("sluice_written", books.written), Figure("sluice_dead_letters", now.deadLetters),
            Figure("sluice_text_bytes", Int(clamping: now.textBytes)), Figure("sluice_compressed_bytes", Int(clamping: now.compressedBytes)),
        ]
        for (place, counts) in zip(plan.places, books.counts) { counters += RunMetrics.Figures.counters(of: place.name, counts) }
        return RunMetrics.Figures(counters: counters, gauges: control.snapshot.stages.flatMap(RunMetrics.Figures.gauges))
    }
}
