/// Samples at equal distances, few enough however long a run takes: once there are too many, every
/// second one is left out, and the distance doubles.
struct SampleSeries {
    private(set) var samples: [RunSamples.Sample] = []
    /// The time between samples, in microseconds.
    private(set) var interval: Int
    let most: Int

    /// The number of figures in all samples together, at most.
    private static let figures = 20_000

    /// - Parameters:
    ///   - interval: the first distance, in microseconds.
    ///   - columns: the figures of a sample.
    init(interval: Int = 100_000, columns: Int) {
        self.init(interval: interval, most: max(60, min(400, Self.figures / max(1, columns))))
    }

    /// Goes on after samples that were taken earlier.
    init(_ samples: [RunSamples.Sample], columns: Int) {
        self.init(columns: columns)
        // The distance is one of those that doubling gives.
        let distance = samples.count > 2 ? samples[1].time - samples[0].time : 0
        while interval * 3 / 2 < distance { interval *= 2 }
        self.samples = samples
        while self.samples.count > most { thin() }
    }

    init(interval: Int, most: Int) {
        precondition(interval > 0 && most >= 4, "samples need a distance, and room for some of them")
        self.interval = interval
        self.most = most
    }

    /// When to take the next one.
    var next: Int { samples.last.map { ($0.time / interval + 1) * interval } ?? 0 }

    /// - Parameter sample: later than those before it.
    mutating func append(_ sample: RunSamples.Sample) {
        samples.append(sample)
        if samples.count > most { thin() }
    }

    private mutating func thin() {
        // The last one stays: it says how far the run is.
        samples = samples.enumerated().filter { $0.offset.isMultiple(of: 2) || $0.offset == samples.count - 1 }.map(\.element)
        interval *= 2
    }
}
