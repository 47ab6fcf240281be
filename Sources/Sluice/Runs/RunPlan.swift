internal import Synchronization
internal import WorkerPools

/// A pipeline laid out for one run: its readers, segments and stages, and the ledger that they
/// write.
struct RunPlan: Sendable {
    var readers: [@Sendable () async -> Void] = []
    var segments: [Segment] = []
    var forwarders: [any Forwarder] = []
    /// The segment that the source feeds.
    var entrance: Segment?
    /// In the order of the pipeline.
    var stages: [StageEntry] = []
    /// Whether a stage may have enough.
    var mayEndEarly = false
    let ledger = RunLedger()

    /// A stage as the report sees it; one without a pool runs where its segment commits.
    struct StageEntry: Sendable {
        let ledger: StageLedger
        let concurrency: Concurrency
        let pool: WorkerPool?
    }

    func stopReading() { entrance?.stop() }

    func stopReading(from part: Int) { entrance?.stop(from: part) }

    func close() {
        for segment in segments { segment.close() }
        for stage in stages { stage.pool?.cancel() }
    }

    func report(_ status: Report.Status) -> Report {
        var report = Report()
        report.status = status
        report.elapsed = ledger.start.duration(to: .now)
        // From the end to the beginning, so that nothing seems to come out that did not go in.
        report.deadLetters = ledger.deadLetters.now
        report.written = ledger.written.now
        report.stages = stages.reversed().map(\.report).reversed()
        report.read = ledger.read.now
        report.reading = ledger.reading.activity
        report.readers = readers.count
        report.writing = ledger.writing.activity
        report.parts = ledger.parts.withLock { $0 }
        return report
    }
}

/// The counters at both ends of a run.
final class RunLedger: Sendable {
    let start = ContinuousClock.now
    let read = Atomic(0)
    let written = Atomic(0)
    let deadLetters = Atomic(0)
    let parts = Locked<[Report.Part]>([])
    /// Times of the readers and of the sinks, if they are measured.
    let reading = StageLedger(name: "reading")
    let writing = StageLedger(name: "writing")
}

extension RunPlan.StageEntry {
    fileprivate var report: Report.Stage {
        let counters = pool?.counters
        return Report.Stage(
            name: ledger.name, counts: ledger.counts, retries: counters?.retried ?? 0,
            timeouts: counters?.timedOut ?? 0, busy: ledger.busy, waited: ledger.waited, isOrdered: pool == nil, queued: counters?.queued ?? 0,
            running: counters?.running ?? 0,
            workers: Report.Workers(
                min: concurrency.range.lowerBound, max: max(concurrency.range.upperBound, counters?.peakWorkers ?? 1), now: counters?.workers ?? 1,
                peak: counters?.peakWorkers ?? 1))
    }
}
