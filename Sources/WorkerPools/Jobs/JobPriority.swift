/// A level of a pool's queue: higher levels first, first in, first out within one.
///
/// A pool has three levels unless configured otherwise. A level that waits while jobs of higher
/// levels are taken ages: see ``WorkerPool/Configuration/ageing``.
public struct JobPriority: Sendable, Hashable, Comparable {
    /// 0 is the lowest; levels above the pool's highest count as the highest.
    public var level: Int {
        didSet { check() }
    }

    public init(level: Int) {
        self.level = level
        check()
    }

    private func check() { demand(level >= 0, "a job's priority level is 0 or more, not \(level)") }

    public static let low = JobPriority(level: 0)
    public static let normal = JobPriority(level: 1)
    public static let high = JobPriority(level: 2)

    public static func < (left: JobPriority, right: JobPriority) -> Bool { left.level < right.level }
}
