/// Time that only moves when told to: for tests of timeouts, retries and sizing without waiting for
/// them.
public final class ManualClock: Alarms {
    private struct State {
        var now: UInt64 = 0
        var order: UInt64 = 0
        var calls: [(due: UInt64, order: UInt64, body: @Sendable () -> Void)] = []
    }

    private let state = Guarded(State())

    public init() {}

    public var now: UInt64 { state.withLock { $0.now } }

    /// Calls that have been scheduled and are not due yet.
    public var pendingCalls: Int { state.withLock { $0.calls.count } }

    public func call(at due: UInt64, _ body: @escaping @Sendable () -> Void) {
        let isDue = state.withLock { state in
            guard due > state.now else { return true }
            state.order += 1
            state.calls.append((due, state.order, body))
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
            let due = state.calls.indices.filter { state.calls[$0].due <= end }
            let first = due.min { left, right in
                (state.calls[left].due, state.calls[left].order) < (state.calls[right].due, state.calls[right].order)
            }
            guard let first else { return nil }
            let call = state.calls.remove(at: first)
            state.now = max(state.now, call.due)
            return call.body
        }
    }
}
