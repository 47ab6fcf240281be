extension TaskResult {
    /// What gathering needs of a result.
    struct Gathered: Decodable {
        var plan: String
        var task: Int
        var batches: Int
        var bytes: Int
        var starts: [Int]?
        var files: [TaskFile]?
        var summaries: [Summary]
        var closing: [Checkpoint.StepState]
        var digests: [String]
        var types: RunReport.InferredTypes?
        var stages: [StageWork]

        /// Whether the numbers can be right, as they may not be in a file that was changed.
        var isPossible: Bool {
            let ofStages = stages.flatMap { [$0.retries, $0.timeouts, $0.workers.peak] }
            let numbers = [batches, bytes] + ofStages + summaries.map(\.members) + (files ?? []).map(\.records)
            let sizes = summaries.map(\.bytes) + (files ?? []).map(\.bytes)
            return numbers.allSatisfy { (0...Self.most).contains($0) } && sizes.allSatisfy { $0 <= UInt64(Self.most) }
        }

        /// More than there are of anything, so that sums have room.
        private static let most = 1 << 48
    }

    /// What the report needs of an input.
    struct Summary: Decodable {
        var bytes: UInt64
        var members: Int
        var isPlainDespiteName: Bool
        var lacksChecksum: Bool?
        var archive: ArchiveContents?
    }

    /// What a stage did, as far as the batches don't say it.
    struct StageWork: Decodable {
        struct Workers: Decodable {
            var peak = 0
        }

        var busySeconds = 0.0
        var retries = 0
        var timeouts = 0
        var workers = Workers()
        var table: RunReport.Table?

        mutating func add(_ other: StageWork) {
            busySeconds += other.busySeconds
            retries += other.retries
            timeouts += other.timeouts
            workers.peak = max(workers.peak, other.workers.peak)
            table = table ?? other.table
        }
    }
}

/// What was read of each input of all tasks.
struct GatheredInputs: Sendable {
    private struct Extent: Sendable {
        var bytes: UInt64
        var members: Int
    }

    private var extents: [Extent] = []
    /// Those of which more is to be said.
    private var others: [Int: InputSummary] = [:]

    mutating func reserve(_ count: Int) { extents.reserveCapacity(count) }

    /// Adds the inputs of a task, the first of which is the run's input of that number.
    ///
    /// The summary of a piece contains what was read before it, and so takes the place of the one
    /// before.
    mutating func add(_ summaries: [TaskResult.Summary], from first: Int) {
        for (index, summary) in summaries.enumerated() {
            let extent = Extent(bytes: summary.bytes, members: summary.members)
            if first + index < extents.count { extents[first + index] = extent } else { extents.append(extent) }
            guard summary.isPlainDespiteName || summary.lacksChecksum != nil || summary.archive != nil else {
                others[first + index] = nil
                continue
            }
            var other = InputSummary(file: "")
            (other.isPlainDespiteName, other.lacksChecksum, other.archive) = (summary.isPlainDespiteName, summary.lacksChecksum, summary.archive)
            others[first + index] = other
        }
    }

    func summary(of input: Int, _ file: InputFile) -> InputSummary {
        var summary = others[input] ?? InputSummary(file: file.path)
        (summary.file, summary.bytes, summary.members) = (file.path, extents[input].bytes, extents[input].members)
        return summary
    }
}
