import SluiceRecords

/// What is known of a run over its time, whether it goes on or has ended.
struct RunCourse: Sendable, Equatable {
    enum Phase: Sendable, Equatable {
        case running, draining
        /// With the words of its report.
        case ended(RunReport.Status)
        /// Its process ended without a report.
        case killed
    }

    struct Step: Sendable, Equatable {
        var name: String
        var kind: RunSamples.Step.Kind
        /// The most that work at once.
        var workers: Int
        var isResizable = false
    }

    /// The counters at one moment, as totals.
    struct Moment: Sendable, Equatable {
        struct Step: Sendable, Equatable {
            var queued = 0
            var workers = 0
            /// In seconds, summed over its workers; `nil` if only its share is known.
            var busy: Double?
            /// The part of its workers' time that it was busy of late, if it is known.
            var share: Double?
            /// Records passed on, committed or not, or, for a step without records, batches.
            var out: Double?
            var dead: Int?
        }

        /// In seconds since the run began.
        var time = 0.0
        /// Those whose fate is committed.
        var records = 0
        /// Records that are not committed, and that stages with workers of their own have finished.
        var inStages = 0
        var written = 0
        var dead = 0
        var textBytes = 0
        var compressedBytes = 0
        var memoryBytes = 0
        /// How much of the inputs was read, 0 to 1, if it is known.
        var share: Double?
        /// In the order of ``RunCourse/steps``.
        var steps: [Step] = []

        /// What a rate of records is of: it moves while a stage works on a batch for a long time.
        var finished: Double { Double(records + inStages) }
    }

    /// Dead letters of one kind.
    struct Letters: Sendable, Equatable {
        var stage: String
        var code: String
        var message: String
        var count: Int
    }

    var pipeline = ""
    var phase = Phase.running
    var steps: [Step] = []
    /// In the order of time.
    var moments: [Moment] = []
    var letters: [Letters] = []
    /// The size of all inputs, if it is known.
    var compressedTotal: Int?
    /// The share of the run that is done, and the time left in seconds, if the run says so.
    var share: Double?
    var secondsLeft: Double?
    /// The stage that the run waits for, or waited for, if there is one.
    var bottleneck: String?
    /// Damaged places of the inputs, if they are known.
    var damage: Int?
    /// How old the last moment is, in seconds, where moments are not made for this view.
    var age: Double?
    /// Where a new process resumed the run.
    var resumed: [Double] = []

    /// Whether the run goes on.
    var isOpen: Bool { phase == .running || phase == .draining }
    var seconds: Double { moments.last?.time ?? 0 }

    /// A total at a time, between the moments that surround it.
    func total(at time: Double, _ count: (Moment) -> Double?) -> Double? {
        guard let first = moments.first, let last = moments.last else { return nil }
        if time <= first.time {
            // Before the first moment, everything was zero.
            guard let value = count(first) else { return nil }
            return first.time > 0 ? value * max(0, time) / first.time : value
        }
        if time >= last.time { return count(last) }
        let next = index(after: time)
        let (before, after) = (moments[next - 1], moments[next])
        guard let a = count(before), let b = count(after) else { return nil }
        return after.time > before.time ? a + (b - a) * (time - before.time) / (after.time - before.time) : b
    }

    /// How much a total grows in a second at a time: over the last moments before it or, of what
    /// grows in leaps, over two of these; `nil` before it has grown.
    func rate(at time: Double, _ count: (Moment) -> Double?) -> Double? {
        let span = span(at: time)
        var rate = SteadyRate(over: span.upperBound - span.lowerBound)
        let last = moments.firstIndex { $0.time >= time } ?? moments.count - 1
        // Totals of records fall back where a process resumes from a checkpoint of the one before.
        let begin = resumed.last { $0 < time } ?? -1
        for moment in moments.prefix(last + 1) where moment.time > begin {
            if let total = count(moment) { rate.note(total, at: moment.time) }
        }
        return rate.perSecond
    }

    /// How much a total grows in a second, over a part of the time.
    func rate(_ span: ClosedRange<Double>, _ count: (Moment) -> Double?) -> Double? {
        guard span.upperBound > span.lowerBound, let end = total(at: span.upperBound, count), let start = total(at: span.lowerBound, count) else { return nil }
        // It falls where a process resumed from a checkpoint of the one before it.
        return max(0, end - start) / (span.upperBound - span.lowerBound)
    }

    func rates(_ span: ClosedRange<Double>, parts: Int, _ count: (Moment) -> Double?) -> [Double?] {
        let part = (span.upperBound - span.lowerBound) / Double(max(1, parts))
        return (0..<max(0, parts)).map { index in
            let start = span.lowerBound + Double(index) * part
            return start >= 0 && part > 0 ? rate(start...start + part, count) : nil
        }
    }

    /// The last moment that is not after a time.
    func moment(at time: Double) -> Moment? {
        guard let first = moments.first else { return nil }
        return time < first.time ? first : moments[index(after: time) - 1]
    }

    /// The first moment after a time that is not before the first.
    private func index(after time: Double) -> Int {
        var (low, high) = (0, moments.count)
        while low < high {
            let middle = (low + high) / 2
            if moments[middle].time <= time { low = middle + 1 } else { high = middle }
        }
        return max(1, low)
    }

    /// The time over which the rates at a time are taken: at least two seconds, and two moments.
    func span(at time: Double) -> ClosedRange<Double> {
        let last = index(after: time)
        let distance = moments.count > 1 ? moments[min(last, moments.count - 1)].time - moments[max(0, min(last, moments.count - 1) - 2)].time : 0
        let start = max(0, time - max(2, distance))
        return start...max(start, time)
    }

    /// The part of the time of a step's workers that it was busy.
    func busyShare(of step: Int, _ span: ClosedRange<Double>) -> Double? {
        let moment = moment(at: span.upperBound)?.steps[step]
        guard let rate = rate(span, { $0.steps[step].busy }) else { return moment?.share }
        let workers = steps[step].kind == .stage || steps[step].kind == .own ? moment?.workers ?? 0 : steps[step].workers
        return workers > 0 ? min(1, rate / Double(workers)) : nil
    }
}
