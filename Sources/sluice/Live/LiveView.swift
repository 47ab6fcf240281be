import SluiceRecords

/// A run at one moment, with what can be concluded from it.
struct LiveView {
    enum State: String, Encodable {
        case running, draining, ended
    }

    /// A step of the work.
    struct Step {
        var step: RunSamples.Step
        /// Now.
        var workers: Int
        /// How many it can be given; `nil` if their number is fixed.
        var allowed: ClosedRange<Int>?
        var queued: Int
        /// Over the last moments, 0 to 1.
        var busyShare: Double
        /// In seconds, since the run began.
        var busy: Double
        var waited: Double
        /// Its line in the ledger; `nil` if it has none.
        var stage: RunReport.Stage?
        /// The records that it has passed on, committed or not, if that is counted.
        var passed: Int?
    }

    let live: RecordRun.Live
    /// The samples of the last moments.
    let recent: RunSamples
    let rates: LiveRates
    let ended: LiveRun.Ended?

    init(_ live: RecordRun.Live, recent: RunSamples, rates: LiveRates, ended: LiveRun.Ended?) {
        (self.live, self.recent, self.rates, self.ended) = (live, recent, rates, ended)
    }

    var samples: RunSamples { live.samples }
    /// The one of the whole run, once it has ended.
    var report: RunReport { ended?.report ?? live.report }
    var state: State { ended != nil ? .ended : live.progress.isDraining ? .draining : .running }

    /// Of the input, 0 to 1; `nil` if it cannot be told.
    var share: Double? { live.progress.share }

    /// The time that is left, in seconds; `nil` if it cannot be told.
    var secondsLeft: Double? {
        guard state == .running else { return nil }
        var left = TimeLeft()
        var seconds: Double?
        // What was before this process took none of its time.
        for sample in samples.samples where sample.time >= samples.resumes.last ?? 0 {
            seconds = sample.share.flatMap { left.next(share: Double($0) / 1e6, at: Double(sample.time) / 1e6) }
        }
        return seconds
    }

    /// Whether something was read that is not committed yet.
    var recordsUnderWay: Bool {
        guard let last = samples.samples.last else { return false }
        return (last.steps.first?.batches ?? 0) > (last.steps.last?.batches ?? 0)
    }

    /// Records that stages with workers of their own have finished, and that are not committed yet.
    var recordsInStages: Int {
        guard state != .ended, let last = samples.samples.last else { return 0 }
        return max(0, samples.inStages(last))
    }

    /// What the run waited for in the last moments.
    var bottleneck: Bottleneck { Bottleneck(recent) }

    /// The last step that batches wait for all the time, while they wait for none after it. Times
    /// do not show that while its batches take minutes: they are noted at the end of each.
    var jam: RunSamples.Step? {
        let queues = recent.times.map(\.queued)
        guard recent.seconds >= 2, let index = queues.lastIndex(where: { $0 >= 1 }), queues[(index + 1)...].allSatisfy({ $0 < 0.5 }) else { return nil }
        return recent.steps[index]
    }

    /// The stage that the run waits for.
    var slow: String? {
        if isIdle { return nil }
        if case .unclear = bottleneck { return jam?.name }
        return bottleneck.stage
    }

    /// Whether nothing has happened in the last moments: it waits for its input.
    var isIdle: Bool {
        guard recent.seconds >= 2, let last = recent.samples.last else { return false }
        let busy = last.steps.reduce(0) { $0 + $1.busy }
        return last.records == 0 && recent.inStages(last) == 0 && busy < last.time / 100 && last.processorTime < last.time / 20
    }

    var steps: [Step] {
        guard let last = samples.samples.last, last.steps.count == samples.steps.count else { return [] }
        let shares = recent.times.map(\.share)
        return samples.steps.indices.map { index in
            let (step, now) = (samples.steps[index], last.steps[index])
            let isEnd = step.kind == .reading || step.kind == .writing
            let place = isEnd || state == .ended ? nil : samples.places.firstIndex { $0.utf8.elementsEqual(step.name.utf8) }
            return Step(
                step: step, workers: now.workers, allowed: index < live.allowed.count ? live.allowed[index] : nil, queued: now.queued,
                busyShare: index < shares.count ? shares[index] : 0, busy: Double(now.busy) / 1e6, waited: Double(now.waited) / 1e6,
                stage: isEnd ? nil : report.stages.first { $0.name.utf8.elementsEqual(step.name.utf8) },
                passed: place.flatMap { $0 < last.passed.count ? last.passed[$0] : nil })
        }
    }
}
