/// Estimates the time that a run still needs, from the share of its input that it has done.
///
/// Takes the mean of two paces: that of the whole run, which is the steadiest, and that of the
/// second half of the time so far, which knows when the inputs have become slower or faster. What an
/// earlier process had done when this one resumed the run took none of its time.
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

    /// - Parameters:
    ///   - share: of the input, 0 to 1.
    ///   - seconds: since the process began.
    /// - Returns: the remaining time in seconds; `nil` if it cannot be told yet.
    mutating func next(share: Double, at seconds: Double) -> Double? {
        note(Mark(seconds: seconds, share: share))
        guard let first = marks.first, seconds - first.seconds >= Self.shortest, share > first.share else { return nil }
        let middle = marks.last { $0.seconds <= (first.seconds + seconds) / 2 } ?? first
        let whole = pace(from: first, to: share, seconds)
        let half = pace(from: middle, to: share, seconds)
        return 2 * (1 - share) / (whole + half)
    }

    private func pace(from mark: Mark, to share: Double, _ seconds: Double) -> Double {
        seconds > mark.seconds ? (share - mark.share) / (seconds - mark.seconds) : 0
    }

    private mutating func note(_ mark: Mark) {
        if let last = marks.last, mark.seconds - last.seconds < interval { return }
        marks.append(mark)
        guard marks.count > Self.most else { return }
        marks = marks.enumerated().filter { $0.offset.isMultiple(of: 2) }.map(\.element)
        interval *= 2
    }
}
