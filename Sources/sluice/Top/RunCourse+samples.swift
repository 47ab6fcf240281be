import SluiceRecords

extension RunCourse {
    /// - Parameters:
    ///   - report: the one that the samples belong to; `nil` if the run has written none.
    ///   - isRunning: whether a process holds the state folder.
    init(_ samples: RunSamples, report: RunReport?, isRunning: Bool) {
        pipeline = samples.pipeline
        phase = report.map { .ended($0.status) } ?? (isRunning ? .running : .killed)
        steps = samples.steps.map { Step(name: $0.name, kind: $0.kind, workers: $0.workers) }
        compressedTotal = samples.compressedTotal
        let places = samples.steps.map { samples.places.firstIndex(of: $0.name) }
        moments = samples.samples.map { Moment($0, samples, places) }
        resumed = samples.resumes.map { Double($0) / 1e6 }
        if let report { add(report) }
        guard isOpen else {
            bottleneck = Bottleneck(samples).stage
            return
        }
        var recent = RecentSamples()
        for sample in samples.samples { recent.add(sample) }
        bottleneck = Bottleneck(recent.window(of: samples)).stage
        share = moments.last?.share
        secondsLeft = timeLeft
    }

    /// A run of which there is only a report.
    init(_ report: RunReport) {
        pipeline = report.pipeline
        phase = .ended(report.status)
        steps = report.stages.map { Step(name: $0.name, kind: .stage, workers: $0.workers.max) }
        var moment = Moment()
        moment.time = report.elapsedSeconds
        (moment.records, moment.written, moment.dead) = (report.records.read, report.records.written, report.records.dead)
        moment.compressedBytes = Int(clamping: report.inputs.reduce(UInt64(0)) { $0 &+ $1.bytes })
        moment.steps = report.stages.map { Moment.Step(workers: $0.workers.peak, busy: $0.busySeconds, out: Double($0.out)) }
        moments = [moment]
        add(report)
    }

    private mutating func add(_ report: RunReport) {
        letters = PageLetters.of(report).groups.map { group in
            Letters(stage: group.stage, code: group.code, message: group.examples.first?.message ?? group.template, count: group.count)
        }
        damage = report.inputs.reduce(0) { $0 + $1.damage.count }
        guard let last = moments.indices.last else { return }
        for index in steps.indices {
            if let stage = report.stages.first(where: { $0.name == steps[index].name }) { moments[last].steps[index].dead = stage.dead }
        }
    }

    private var timeLeft: Double? {
        var left = TimeLeft()
        var said: Double?
        // Of this process only: what was before it took none of its time.
        for moment in moments where moment.time >= resumed.last ?? 0 {
            said = moment.share.flatMap { left.next(share: $0, at: moment.time) }
        }
        return said
    }
}

extension RunCourse.Moment {
    /// - Parameter places: for each step its place in the ledger, if it has one.
    fileprivate init(_ sample: RunSamples.Sample, _ samples: RunSamples, _ places: [Int?]) {
        time = Double(sample.time) / 1e6
        (records, written, dead, textBytes, compressedBytes) = (sample.records, sample.written, sample.dead, sample.textBytes, sample.compressedBytes)
        (inStages, memoryBytes) = (max(0, samples.inStages(sample)), sample.memoryBytes)
        let out = sample.passed.count == sample.out.count ? sample.passed : sample.out
        // Earlier versions did not say it.
        let total = samples.compressedTotal.map(Double.init) ?? 0
        share = sample.share.map { Double($0) / 1e6 } ?? (total > 0 ? min(1, Double(sample.compressedBytes) / total) : nil)
        steps = zip(sample.steps, places).map { step, place in
            Step(
                queued: step.queued, workers: step.workers, busy: Double(step.busy) / 1e6, out: place.map { Double(out[$0]) } ?? Double(step.batches),
                dead: place.flatMap { sample.deadLetters.isEmpty ? nil : sample.deadLetters[$0] })
        }
    }
}
