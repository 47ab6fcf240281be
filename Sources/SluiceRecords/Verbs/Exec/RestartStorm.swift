/// Throttles the starting of children when several in a row exit without a single answer, so that a
/// broken command does not cause a storm of processes. Never stops it altogether: a child that
/// crashes on some records must not prevent the others from being processed.
struct RestartStorm {
    typealias Instant = ContinuousClock.Instant

    /// The number of children in a row that may exit without an answer before starts are delayed.
    static let free = 4
    static let longest = Duration.milliseconds(4)

    private var fruitless = 0
    private var lastStart: Instant?

    var notBefore: Instant? {
        guard fruitless >= Self.free, let lastStart else { return nil }
        return lastStart + min(.milliseconds(1 << min(fruitless - Self.free, 3)), Self.longest)
    }

    func allows(now: Instant) -> Bool {
        notBefore.map { $0 <= now } ?? true
    }

    mutating func started(now: Instant) {
        lastStart = now
    }

    mutating func ended(answers: Int) {
        fruitless = answers > 0 ? 0 : fruitless + 1
    }
}
