/// A monotonic clock whose sleep costs about 0.2 µs of processor time where `Task.sleep` costs 6.5 µs (Linux).
///
/// On a thread of a ``ThreadExecutor`` the sleeper is put on that thread's own timer wheel; anywhere else on the
/// wheel of ``WheelThread/shared``. Resolution: never early, up to 66 µs late plus the system's own lateness.
public struct PoolClock: Clock, Sendable {
    public struct Instant: InstantProtocol, Sendable, Hashable {
        var nanoseconds: UInt64

        public func advanced(by duration: Duration) -> Instant {
            if duration >= .zero { return Instant(nanoseconds: nanoseconds &+ duration.nanoseconds) }
            let back = (.zero - duration).nanoseconds
            return Instant(nanoseconds: nanoseconds - min(back, nanoseconds))
        }

        public func duration(to other: Instant) -> Duration {
            .nanoseconds(Int64(other.nanoseconds) - Int64(nanoseconds))
        }

        public static func < (left: Instant, right: Instant) -> Bool { left.nanoseconds < right.nanoseconds }
    }

    public init() {}

    public var now: Instant { Instant(nanoseconds: Timers.now) }
    public var minimumResolution: Duration { .microseconds(66) }

    /// Ends early, throwing `CancellationError`, when the task is cancelled.
    public static func sleep(for duration: Duration) async throws(CancellationError) {
        let timers = RunLoop.current?.timers ?? WheelThread.shared.timers
        try await timers.sleep(until: Timers.now &+ duration.nanoseconds)
    }

    /// Ends early, throwing `CancellationError`, when the task is cancelled. The tolerance is not made use of.
    public func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        let timers = RunLoop.current?.timers ?? WheelThread.shared.timers
        try await timers.sleep(until: deadline.nanoseconds)
    }
}
