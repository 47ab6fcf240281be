/// What a sizing policy sees.
public struct PoolLoad: Sendable, Hashable {
    /// Jobs in the queue, and those of submitters waiting for room in it, beyond those that idle
    /// workers are about to take.
    public var waiting: Int
    /// Jobs that are being run.
    public var running: Int
    /// The current concurrency limit.
    public var workers: Int
    public var bounds: ClosedRange<Int>
}

/// When a pool grows and shrinks between the bounds of its configuration.
public struct SizingPolicy: Sendable {
    /// The new limit when a job has just been queued; called with the pool's lock held, so it must
    /// be quick and must not call the pool. Results are clamped to the bounds; the current value
    /// means no change.
    public var grow: @Sendable (PoolLoad) -> Int
    /// The new limit after a `quietPeriod` in which no job ever waited. What was said of ``grow``
    /// goes for it as well.
    public var shrink: @Sendable (PoolLoad) -> Int
    /// How long no job must have waited before the pool shrinks by one step: the hysteresis. Each
    /// step waits anew.
    public var quietPeriod: Duration

    public init(
        quietPeriod: Duration = .milliseconds(100),
        grow: @escaping @Sendable (PoolLoad) -> Int,
        shrink: @escaping @Sendable (PoolLoad) -> Int
    ) {
        self.quietPeriod = quietPeriod
        self.grow = grow
        self.shrink = shrink
    }

    /// Doubles when waiting jobs exceed `threshold` of the workers; halves when none waited for a
    /// `quietPeriod`.
    public static func doubling(above threshold: Double = 0.75, quietPeriod: Duration = .milliseconds(100)) -> SizingPolicy {
        SizingPolicy(
            quietPeriod: quietPeriod,
            grow: { Double($0.waiting) > threshold * Double($0.workers) ? 2 * min($0.workers, .max / 2) : $0.workers },
            shrink: { $0.workers / 2 })
    }
}
