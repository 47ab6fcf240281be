import SluiceRecords

/// How fast a run goes on, over the last half minute or, of batches that take longer, over two of
/// them.
struct LiveRates {
    private var text = SteadyRate(over: 30)
    private var records = SteadyRate(over: 30)
    /// The time of the newest sample that was taken in, in microseconds.
    private var newest: Int?

    /// Takes in what is new. Those of the processes before this one say nothing of its pace.
    mutating func note(_ samples: RunSamples) {
        let after = newest ?? samples.resumes.last ?? -1
        for sample in samples.samples where sample.time > after {
            let seconds = Double(sample.time) / 1e6
            text.note(Double(sample.textBytes), at: seconds)
            records.note(Double(sample.records + max(0, samples.inStages(sample))), at: seconds)
            newest = sample.time
        }
    }

    /// Of text whose records are committed; `nil` before there is any.
    var bytesPerSecond: Double? { text.perSecond }

    /// With records that stages have finished and that are not committed; `nil` before there are
    /// any.
    var recordsPerSecond: Double? { records.perSecond }
}
