/// The remaining budget of an evaluation. A step is about one call, one element visited or 16 bytes
/// processed.
struct Meter: Sendable {
    private var left: Int

    init(limit: Int) {
        left = limit
    }

    mutating func charge(_ steps: Int) throws(EvaluationError) {
        let (rest, overflows) = left.subtractingReportingOverflow(steps)
        guard !overflows, rest >= 0 else {
            left = 0
            throw .costLimit
        }
        left = rest
    }

    mutating func charge(bytes: Int) throws(EvaluationError) {
        try charge(bytes >> 4)
    }
}
