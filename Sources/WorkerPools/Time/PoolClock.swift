/// A monotonic clock whose sleep costs 0.5 to 0.7 µs of processor time, including waking and
/// running the task, where `Task.sleep` costs 6.5 µs (Linux).
///
/// That is the cost of a short sleep on a thread of a ``ThreadExecutor``, which uses that thread's
/// own timer wheel; any other goes to the wheel of ``WheelThread/shared``, where two threads have
/// to be woken. Resolution: never early, up to 66 µs late plus the system's own latency.
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

    public var now: Instant { Instant(nanoseconds: OperatingSystem.now) }
    public var minimumResolution: Duration { .microseconds(66) }

    /// Sleeps of up to this length are not cut short by cancellation: they throw when they end. A
    /// sleep that can be cancelled needs a handler, which costs a third of the time and half of the
    /// memory of the sleep.
    public static let longestNap: Duration = .milliseconds(20)

    /// Ends early, throwing `CancellationError`, when the task is cancelled, unless it is no longer
    /// than ``longestNap``.
    @inlinable
    public static func sleep(for duration: Duration) async throws(CancellationError) {
        guard let napActor = NapActor.prepared(for: duration) else { return try await sleepOnWheelThread(duration) }
        if await napActor.wakeUp() { throw CancellationError() }
    }

    @inline(never) @usableFromInline
    static func sleepOnWheelThread(_ duration: Duration) async throws(CancellationError) {
        let (thread, due) = (WheelThread.shared, OperatingSystem.now &+ duration.nanoseconds)
        guard duration <= longestNap else { return try await thread.sleep(until: due) }
        await withUnsafeContinuation { continuation in thread.call(at: due) { continuation.resume() } }
        if Task.isCancelled { throw CancellationError() }
    }

    /// Ends early, throwing `CancellationError`, when the task is cancelled. The tolerance is
    /// ignored.
    public func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        try await WheelThread.shared.sleep(until: deadline.nanoseconds)
    }
}
