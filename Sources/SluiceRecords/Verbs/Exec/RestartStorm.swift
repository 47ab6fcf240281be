/// Slows down the starting of children when one after the other ends without a single answer, so
/// that a broken command does not become a storm of processes. Never stops it: a child that crashes
/// on some records must not take the good ones with it.
struct RestartStorm {
    typealias Instant = ContinuousClock.Instant

    /// Children that may end without an answer, one after the other, before starts are spaced.
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
