// Unsafe code: continuations are stored unchecked in the wheel. Each is resumed exactly once,
// because an entry leaves the wheel exactly once under its lock, either fired or removed, and the
// thread that took it out resumes it.

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// What a wheel does when a deadline has passed.
enum Alarm: Sendable {
    case resume(UnsafeContinuation<Void, Never>)
    case call(@Sendable () -> Void)

    func fire() {
        switch self {
        case .resume(let continuation): continuation.resume()
        case .call(let body): body()
        }
    }
}

/// A timer wheel under a lock; the thread that owns it fires it, any thread may add and remove.
final class Timers: Sendable {
    private struct State {
        var wheel: TimerWheel<Alarm>
        /// When the owner will check next; an earlier deadline has to wake it.
        var checksAt: UInt64 = 0
    }

    private let state: Guarded<State>
    /// Makes the owner check the wheel before it had planned to.
    private let wake: @Sendable () -> Void

    init(wake: @escaping @Sendable () -> Void) {
        self.wake = wake
        state = Guarded(State(wheel: TimerWheel(now: Self.now)))
    }

    static var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// A few milliseconds behind, for a fifth of the cost of ``now``: enough to notice that time
    /// has passed.
    static var coarseNow: UInt64 {
        #if canImport(Darwin)
            return now
        #else
            var time = timespec()
            clock_gettime(CLOCK_MONOTONIC_COARSE, &time)
            return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
        #endif
    }

    func call(at due: UInt64, _ body: @escaping @Sendable () -> Void) {
        let early = state.withLock { state in
            _ = state.wheel.insert(due: due, .call(body))
            return due < state.checksAt
        }
        if early { wake() }
    }

    /// Resumes `continuation` when `length` nanoseconds have passed.
    func nap(_ length: UInt64, _ continuation: UnsafeContinuation<Void, Never>) {
        let due = Self.now &+ length
        let early = state.withLock { state in
            _ = state.wheel.insert(due: due, .resume(continuation))
            return due < state.checksAt
        }
        if early { wake() }
    }

    /// Throws if the task is cancelled before or while it sleeps, or at the latest when it has been
    /// woken.
    func sleep(until due: UInt64) async throws(CancellationError) {
        let id = state.withLock { $0.wheel.reserve() }
        await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                let (cancelled, early) = state.withLock { state in
                    guard state.wheel.contains(id) else { return (true, false) }
                    state.wheel.arm(id, due: due, .resume(continuation))
                    return (false, due < state.checksAt)
                }
                if cancelled { continuation.resume() }
                if early { wake() }
            }
        } onCancel: {
            state.withLock { $0.wheel.remove(id) }?.fire()
        }
        if Task.isCancelled { throw CancellationError() }
    }

    /// Takes out what is due.
    /// - Returns: when the owner must check again, if nothing was due; it may sleep until then.
    func takeDue(into fired: inout [Alarm]) -> UInt64? {
        let now = Self.now
        return state.withLock { state in
            state.wheel.advance(to: now, into: &fired)
            let next = state.wheel.nextDue
            state.checksAt = fired.isEmpty ? next ?? .max : 0
            return next
        }
    }
}
