/// Where a pool reads the time and sets alarms for timeouts, retries and sizing.
///
/// A pool uses ``WheelThread/shared``; tests pass a ``ManualClock`` and move time themselves.
public protocol Alarms: Sendable {
    /// Nanoseconds since an origin of the clock's own; never goes back. Read with a pool's locks
    /// held, so it must be quick and must not call the pool.
    var now: UInt64 { get }

    /// Calls `body` once when `now` has reached `due`, on a thread of the clock's own: `body` must
    /// be quick.
    func call(at due: UInt64, _ body: @escaping @Sendable () -> Void)
}

extension Duration {
    /// Whole nanoseconds; negative durations count as zero and those beyond 285 years as that.
    var nanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        guard seconds < 9_000_000_000 else { return 9_000_000_000_000_000_000 }
        return UInt64(seconds) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000)
    }
}
