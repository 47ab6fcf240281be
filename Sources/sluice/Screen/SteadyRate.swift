/// How fast a total grows that does so in leaps, as batches are committed one at a time.
///
/// It is taken from one leap to another, over a time in which there were two or more. So it is
/// neither nothing between two of them nor a peak at each. It stays as it is until the next leap is
/// later than any was, and falls from then on.
struct SteadyRate {
    private struct Mark {
        var seconds: Double
        var total: Double
    }

    /// The shortest time that it is taken over, in seconds, if so much is known.
    private let least: Double
    /// The first look, and each at which the total was larger than at all before.
    private var marks: [Mark] = []
    /// When the last look was.
    private var now = 0.0

    init(over least: Double) { self.least = least }

    /// - Parameters:
    ///   - total: the one of a process that resumes a run must not follow that of the one before.
    ///   - seconds: later than those before.
    mutating func note(_ total: Double, at seconds: Double) {
        now = seconds
        guard let last = marks.last else { return marks = [Mark(seconds: seconds, total: total)] }
        if total > last.total { marks.append(Mark(seconds: seconds, total: total)) }
        while marks.count > 3, marks[1].seconds <= seconds - least { marks.removeFirst() }
    }

    /// `nil` before the total has grown.
    var perSecond: Double? {
        guard marks.count > 1, let first = marks.first, let last = marks.last else { return nil }
        let longest = zip(marks, marks.dropFirst()).map { $1.seconds - $0.seconds }.max() ?? 0
        let end = max(last.seconds, now - longest)
        return end > first.seconds ? (last.total - first.total) / (end - first.seconds) : nil
    }
}
