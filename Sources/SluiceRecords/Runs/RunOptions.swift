import Glibc

/// How a run is carried out. Nothing here changes what is written.
package struct RunOptions: Sendable {
    /// Threads for all stages together; by default as many as the machine has processors.
    package var workers: Int
    /// The folder for `report.json` and, by default, the dead letters.
    package var state: String
    /// Records to read at most; the rest of the input is left alone.
    package var limit: Int?
    /// Another file that the report is written to once the run has ended.
    package var reportCopy: String?

    package init(workers: Int = System.processors, state: String, limit: Int? = nil) {
        self.workers = workers
        self.state = state
        self.limit = limit
    }
}

/// What the machine has.
package enum System {
    /// Processors that this process may use.
    package static let processors = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
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
    /// Records that failed, so far.
    public var deadLetters = 0
    /// Whether reading was stopped before the end of the input.
    public var isDraining = false
}
