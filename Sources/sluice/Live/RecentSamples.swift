import SluiceRecords

/// The last half minute of a run, as far as it was looked at.
struct RecentSamples {
    private var samples: [RunSamples.Sample] = []

    /// The time that it covers, in microseconds.
    private static let span = 30_000_000
    /// Between two samples.
    private static let distance = 500_000
    /// Before that, the whole run says more.
    private static let shortest = 2_000_000

    mutating func add(_ sample: RunSamples.Sample?) {
        guard let sample, sample.time >= (samples.last?.time ?? .min) + Self.distance else { return }
        samples.append(sample)
        // One that is older than the span remains as its beginning.
        while samples.count > 2, samples[1].time <= sample.time - Self.span { samples.removeFirst() }
    }

    /// The samples of that time, as if the run had begun with it; those of the whole run if that is
    /// too short.
    func window(of run: RunSamples) -> RunSamples {
        guard let now = run.samples.last else { return run }
        var base = samples.first { $0.time >= now.time - Self.span && now.time - $0.time >= Self.shortest }
        // Nobody has looked: of the samples that the run has taken itself, the last that will do.
        if base == nil { base = run.samples.last { now.time - $0.time >= Self.shortest } }
        guard let base, base.steps.count == now.steps.count, base.time > 0 else { return run }
        var window = run
        let between = samples.filter { $0.time > base.time && $0.time < now.time }
        window.samples = (between + [now]).map { $0.since(base) }
        return window
    }
}

extension RunSamples.Sample {
    /// As if the totals had begun with another.
    fileprivate func since(_ base: RunSamples.Sample) -> RunSamples.Sample {
        var sample = self
        sample.time -= base.time
        sample.records -= base.records
        sample.written -= base.written
        sample.dead -= base.dead
        sample.textBytes -= base.textBytes
        sample.compressedBytes -= base.compressedBytes
        sample.processorTime -= base.processorTime
        // So that what stages have finished before it is committed counts from there, too.
        if sample.out.count == base.out.count, sample.passed.count == base.passed.count {
            for index in out.indices { sample.out[index] -= base.out[index] }
            for index in passed.indices { sample.passed[index] -= base.passed[index] }
        }
        for index in steps.indices {
            sample.steps[index].busy -= base.steps[index].busy
            sample.steps[index].waited -= base.steps[index].waited
            sample.steps[index].batches -= base.steps[index].batches
        }
        return sample
    }
}
