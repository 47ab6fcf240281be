import Glibc
package import Logging

/// How a run is executed. Nothing here changes what is written.
package struct RunOptions: Sendable {
    /// The number of threads for all stages together; by default one for each processor.
    package var workers: Int
    /// The folder for `report.json` and, by default, the dead letters.
    package var state: String
    /// The number of records to read at most; the rest of the input is ignored.
    package var limit: Int?
    /// Another path to write the report to once the run has ended.
    package var reportCopy: String?
    /// Whether to discard an unfinished run instead of resuming it.
    package var restarts = false
    /// The minimum time between checkpoints; more if they take more than a hundredth of the time
    /// (``Checkpointing/pause(after:)``). Zero: after every batch.
    package var checkpointInterval = Duration.seconds(5)
    /// Whether to record samples of the run in its state folder, and what else to keep with them.
    package var samples: RunSamples?
    /// Where events of the run are logged; nowhere if `nil`.
    package var logger: Logger?
    /// Called with messages for the user about how the run began.
    package var notice: (@Sendable (String) -> Void)?

    package init(workers: Int = System.processors, state: String, limit: Int? = nil) {
        self.workers = workers
        self.state = state
        self.limit = limit
    }
}

/// Properties of the machine.
package enum System {
    /// The number of processors that are online.
    package static let processors = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
}

/// The progress of a run.
public struct RunProgress: Sendable, Equatable {
    /// Records that were read and whose fate is committed.
    public var records = 0
    /// Records that are not committed, and that a stage with workers of its own, such as child
    /// processes, has finished; of several such stages, the one that is the furthest ahead.
    public var inStages = 0
    /// Decompressed bytes.
    public var textBytes: UInt64 = 0
    /// Those of them that an earlier process had done, whose run this one has resumed.
    package var restoredTextBytes: UInt64 = 0
    /// Bytes of the input files that were consumed.
    public var compressedBytes: UInt64 = 0
    /// The total size of the input files in bytes; `nil` if one has no size, such as a pipe.
    public var compressedTotal: UInt64?
    /// How much of the run is done, 0 to 1: what of the inputs is read, by their bytes and by the
    /// text that they are expected to hold, what stages have finished before it is committed
    /// included, and what a `sort` has returned; `nil` if that cannot be told.
    public var share: Double?
    /// Records that have failed so far.
    public var deadLetters = 0
    /// Whether reading was stopped before the end of the input.
    public var isDraining = false
}
