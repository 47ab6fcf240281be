import Glibc

/// How a run is carried out. Nothing here changes what is written.
public struct RunOptions: Sendable {
    /// Threads for all stages together; by default as many as the machine has processors.
    public var workers: Int
    /// The folder for `report.json` and, by default, the dead letters.
    public var state: String
    /// Records to read at most; the rest of the input is left alone.
    public var limit: Int?

    public init(workers: Int = System.processors, state: String, limit: Int? = nil) {
        self.workers = workers
        self.state = state
        self.limit = limit
    }
}

/// What the machine has.
public enum System {
    /// Processors that this process may use.
    public static let processors = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
}

/// How far a run has come.
public struct RunProgress: Sendable, Equatable {
    /// Records read and accounted for.
    public var records = 0
    /// Decompressed bytes.
    public var textBytes: UInt64 = 0
    /// Bytes of the input files that were used up.
    public var compressedBytes: UInt64 = 0
    /// Bytes of all input files; `nil` where one of them has no size, such as a pipe.
    public var compressedTotal: UInt64?
    public var deadLetters = 0
    public var isDraining = false
}
