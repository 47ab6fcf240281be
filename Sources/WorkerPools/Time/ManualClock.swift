/// Time that only moves when told to: for tests of timeouts, retries and sizing without waiting for
/// them.
public final class ManualClock: Alarms {
    private struct State {
        var now: UInt64 = 0
        var calls = TimerQueue<@Sendable () -> Void>()
    }

    private let state = Guarded(State())

    public init() {}

    public var now: UInt64 { state.withLock { $0.now } }

    /// Calls that have been scheduled and are not due yet.
    public var pendingCalls: Int { state.withLock { $0.calls.count } }

    public func call(at due: UInt64, _ body: @escaping @Sendable () -> Void) {
        let isDue = state.withLock { state in
            guard due > state.now else { return true }
            state.calls.insert(state.calls.reserve(), due: due, body)
            return false
        }
        if isDue { body() }
    }

    /// Moves time on. Everything that becomes due is called before this returns, in the order of
    /// its deadlines, with `now` at each deadline in turn.
    public func advance(by duration: Duration) {
        let end = now &+ duration.nanoseconds
        while let body = nextCall(until: end) { body() }
        state.withLock { $0.now = max($0.now, end) }
    }

    private func nextCall(until end: UInt64) -> (@Sendable () -> Void)? {
        state.withLock { state in
            guard let (due, body) = state.calls.popFirst(until: end) else { return nil }
            state.now = max(state.now, due)
            return body
        }
    }
}
