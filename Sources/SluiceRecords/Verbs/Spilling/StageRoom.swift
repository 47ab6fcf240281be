/// The resources of a stage that holds much state: an amount of memory, and a folder to spill to.
package struct StageRoom: Sendable {
    /// In bytes, for all workers of the stage together.
    package var memory: Int
    /// In bytes, for what a stage adds to the records of one batch.
    var additions = 64 << 20
    /// In bytes, for what expressions make for the records of one batch, however long they are.
    private(set) var values = 256 << 20
    /// The same for each byte of the records' text. Up to 2 GiB, more memory means that more
    /// batches are in flight, so that the room of each does not grow.
    private var valuesPerByte = 64
    /// The text, in bytes, of a full batch.
    private(set) var batchText = Batch.targetBytes
    let folder: StageFolder
    /// `nil` if failures are only counted when a batch is committed.
    var deadLetters: DeadLetterLimit?

    /// - Parameter folder: for files that do not outlive the process.
    package init(memory: Int, folder: String) {
        self.init(memory: memory, folder: StageFolder(folder))
    }

    init(memory: Int, folder: StageFolder) {
        self.memory = memory
        self.folder = folder
    }

    /// The resources of each stage that holds much state: these stages share half of the memory
    /// limit; the other half is for batches in flight.
    init(_ pipeline: RecordPipeline, folder: StageFolder) {
        self.init(memory: pipeline.limits.memory / 2 / max(1, pipeline.flow.allStages.count { $0.verb.keepsMuch }), folder: folder)
        // Two batches may be in such a stage, and each of its parts may be held twice for a moment.
        additions = pipeline.limits.memory / 8
        values = pipeline.roomForValues
        valuesPerByte = max(valuesPerByte, min(pipeline.limits.memory >> 25, 1 << 20))
        batchText = Batch.targetBytes(within: pipeline.limits.memory)
        // If a stage may end the run early, failures after its last record don't count.
        guard let limit = pipeline.limits.deadLetters, !pipeline.flow.stages.contains(where: \.mayHaveEnough) else { return }
        deadLetters = DeadLetterLimit(limit)
    }

    /// In bytes, for what expressions make for the records of a batch with so much text.
    func values(ofText count: Int) -> Int { min(values, valuesPerByte * max(batchText, count)) }

    /// The memory, in bytes, beyond which there is more room for each byte of text.
    var memoryForMoreValues: Int { valuesPerByte << 25 }

    /// The default without a run.
    package static let standard = StageRoom(memory: 128 << 20, folder: "/tmp")
}

extension RecordPipeline {
    /// In bytes, for what an expression makes of one record, and for what is kept of that for
    /// the records of one batch: enough for two texts as long as the longest record by default.
    var roomForValues: Int { max(32 << 20, limits.memory / 2) }
}

/// The state of a stage: its bytes, and the spill files that they refer to, each by its index.
package struct StageState: Sendable {
    package var bytes: [UInt8]
    var files: [StageFile] = []

    package init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    init(bytes: [UInt8], files: [StageFile]) {
        self.bytes = bytes
        self.files = files
    }
}
