/// Estimates the time that a run still needs, from the share that is done.
///
/// Takes the mean of two paces: that of the whole run, which is the steadiest, and that of the
/// second half of the time so far, which knows when the inputs have become slower or faster. What
/// an earlier process had done when this one resumed the run took none of its time, and the time
/// before anything was read, such as that of programs that start, will not come again.
struct TimeLeft {
    private struct Mark {
        var seconds: Double
        var share: Double
    }

    private var marks: [Mark] = []
    /// The time between marks. Doubles when there are too many.
    private var interval = 0.1
    private static let most = 200
    /// Before that, nothing can be said.
    private static let shortest = 0.5
    /// What is read sooner than that only fills the stages, whose programs may still be starting.
    private static let least = 0.0005
    /// What was done when the process began.
    private var start: Double?

    /// - Parameters:
    ///   - share: of the run, 0 to 1.
    ///   - seconds: since the process began.
    /// - Returns: the remaining time in seconds; `nil` if it cannot be told yet.
    mutating func next(share: Double, at seconds: Double) -> Double? {
        let start = start ?? share
        self.start = start
        // It is much less than before if inputs turned out to hold more, and a little less now and
        // then as records differ in size.
        if share <= start + Self.least || share < 0.95 * (marks.last?.share ?? 0) { marks = [] }
        note(Mark(seconds: seconds, share: share))
        guard let first = marks.first, seconds - first.seconds >= Self.shortest, share > first.share else { return nil }
        let middle = marks.last { $0.seconds <= (first.seconds + seconds) / 2 } ?? first
        let whole = pace(from: first, to: share, seconds)
        let half = pace(from: middle, to: share, seconds)
        return 2 * (1 - share) / (whole + half)
    }

    private func pace(from mark: Mark, to share: Double, _ seconds: Double) -> Double {
        seconds > mark.seconds ? max(0, share - mark.share) / (seconds - mark.seconds) : 0
    }

    private mutating func note(_ mark: Mark) {
        if let last = marks.last, mark.seconds - last.seconds < interval { return }
        marks.append(mark)
        guard marks.count > Self.most else { return }
        marks = marks.enumerated().filter { $0.offset.isMultiple(of: 2) }.map(\.element)
        interval *= 2
    }
}
