/// The unit of work and of acknowledgement: about 512 KiB of decompressed bytes of one input, or
/// less with little memory, cut at the end of a record.
///
/// The end of a batch depends only on the input's bytes and the run's memory: it holds as many
/// whole records as fit into the target size, or one record if that is longer. Neither the sizes of
/// reads nor the number of workers matter.
///
/// `@unchecked Sendable`: a batch belongs to one job at a time. The reader fills it; then it moves
/// from stage to stage and is never shared.
package final class Batch: @unchecked Sendable {
    /// 512 KiB. Checkpoints and plans count batches, so another size needs another
    /// ``Checkpoint/version`` and ``TaskPlan/version``.
    package static let targetBytes = 512 << 10

    /// The target size with so much memory. A stage may make many times the text of a batch, on
    /// each worker.
    static func targetBytes(within memory: Int) -> Int { min(targetBytes, max(128 << 10, memory >> 8)) }

    /// The batch's bytes. At least ``ByteBuffer/padding`` readable bytes follow the last one.
    package let bytes: ByteBuffer
    /// The records in input order, without their line feeds.
    package var frames: [Frame] = []
    /// The index of the input in the run.
    package let input: Int
    /// In a task: the number of the run's inputs before those of the task.
    var inputsBefore = 0
    /// The index of the batch in its input.
    package var number = 0
    /// The name of the records' file, if it is not the input: a file in an archive, or that of dead
    /// letters.
    var name: RecordFields.InputName?
    /// The size of the texts of the files before it in the archive.
    var precedingText: UInt64 = 0
    /// The head of the batch's file, if the format has one.
    package var head: FileHead?
    /// The offset of the first byte in the decompressed input, or in the decompressed file of an
    /// archive.
    package let offset: UInt64
    /// The line number of the first record, from 1.
    package let line: UInt64
    /// The gzip member of each record, run-length encoded: `firstFrame` and the frames up to the
    /// next run begin in `member` (from 0).
    package var members: [MemberRun] = []
    /// What is wrong with records, as far as cutting the text has shown, in input order.
    package var faults: [FramingFault] = []
    /// Whether records may have line feeds that mean nothing, as in JSON over several lines.
    package var spansLines = false
    /// What the reader refused, in input order. The bytes are in spill files.
    package var spilled: [SpilledRecord] = []
    /// Damage found while this batch was read. It comes after the batch's last record.
    package var damage: [Damage] = []
    /// The number of records, of this batch and of earlier ones, that are known to be suspect since
    /// this batch was cut (``SuspectRecords``).
    package var suspect: UInt64 = 0
    /// Records that belong to the dead letters because their member failed its check
    /// (``DamagePolicy/setAside``).
    package var setAside: [Range<Int>] = []
    /// Compressed bytes of the input that were consumed when this batch was cut, for progress.
    package var compressedBytesRead: UInt64 = 0
    /// Where the records come from, if they are dead letters that are fed in again.
    var replayed: ReplayedRecords?
    /// The position in the input after this batch.
    package var end = Position(member: 0, offset: 0, line: 1)
    /// The room for its record, if that is a long one.
    var room: LongRecords.Room?
    /// Where its reader is after this batch; `nil` if reading can only begin at the input's start.
    var readerState: ReaderState?

    /// An estimate of the memory in bytes that it may come to take. It does not depend on the size
    /// of batches, so that no more of them are in flight where they are small.
    var weight: Int { 6 * max(bytes.capacity, 1 << 20) }

    package init(bytes: ByteBuffer, input: Int, offset: UInt64, line: UInt64) {
        self.bytes = bytes
        self.input = input
        self.offset = offset
        self.line = line
    }
}

/// A record as a range of its batch's bytes. Includes a carriage return before the line feed, but
/// not the line feed.
package struct Frame: BitwiseCopyable, Sendable {
    package var start: UInt32
    package var count: UInt32
    /// The line number relative to the batch's ``Batch/line``. Oversized records and records of
    /// several lines leave gaps.
    package var lineDelta: UInt32

    package init(start: UInt32, count: UInt32, lineDelta: UInt32) {
        self.start = start
        self.count = count
        self.lineDelta = lineDelta
    }
}

package struct MemberRun: Sendable, Equatable {
    package var firstFrame: Int
    package var member: Int

    package init(firstFrame: Int, member: Int) {
        self.firstFrame = firstFrame
        self.member = member
    }
}

/// Where a record begins.
package struct Position: Sendable, Equatable, Codable {
    /// The gzip member in which it begins, from 0; 0 for plain text.
    package var member: Int
    /// The offset in the decompressed input.
    package var offset: UInt64
    /// Counted from 1.
    package var line: UInt64

    package init(member: Int, offset: UInt64, line: UInt64) {
        self.member = member
        self.offset = offset
        self.line = line
    }
}

/// A record that the reader refuses. It is spilled to a gzip file of its own, so that memory stays
/// bounded and nothing is lost.
package struct SpilledRecord: Sendable {
    package enum Reason: Sendable {
        /// The record is over the size limit.
        case tooLong
        /// The record is over the size limit, and was given up before its end (``BombLimit``).
        case bomb
        /// The bytes are the rest of a record whose beginning was lost to damage.
        case torn
    }

    package var reason: Reason
    /// The index of the frame that follows it.
    package var beforeFrame: Int
    package var position: Position
    /// The decompressed size, without the line feed; of a ``Reason/bomb``, what was read of it.
    package var byteCount: UInt64
    /// The number of bytes that are kept of a record that is cut: its first ones.
    package var kept: Int?
    /// Whether the bytes that are kept are UTF-8.
    package var isUTF8: Bool
    /// The path of the spill file. It is removed once the dead letter is written.
    package var spill: String
    /// The name of the file that it is in, if the input is an archive of files.
    package var file: String?

    package init(reason: Reason = .tooLong, beforeFrame: Int, position: Position, byteCount: UInt64, isUTF8: Bool, spill: String) {
        self.reason = reason
        self.beforeFrame = beforeFrame
        self.position = position
        self.byteCount = byteCount
        self.isUTF8 = isUTF8
        self.spill = spill
    }
}

/// A part of an input that could not be read.
package struct Damage: Sendable, Equatable, Codable {
    package enum Kind: String, Sendable, Codable {
        case truncated, corrupt, header, crc, length
        case trailingGarbage = "trailing-garbage"
        case readError = "read-error"
        case tarHeader = "tar-header"
        case tarTruncated = "tar-truncated"
        case tarGarbage = "tar-garbage"
        case bomb
    }

    package var kind: Kind
    /// The offset in the compressed file where the damage was detected: `file@byte`. That of the
    /// structure of an archive is in the archive's text.
    package var offset: UInt64
    /// The name of the file in an archive whose own compression is damaged.
    package var file: String?
    /// The index of the gzip member, from 0.
    package var member: Int
    /// Compressed bytes that were skipped; 0 if everything was delivered but failed its check
    /// (`crc`, `length`).
    package var lostBytes: UInt64
    /// Decompressed bytes of the record that the damage cut off, which were not delivered. What
    /// follows the damage is not among them: it is a record, or a dead letter `record.torn`.
    /// Of `crc` also the bytes by which the text is shorter than what was compressed.
    package var lostText: UInt64

    package init(kind: Kind, offset: UInt64, member: Int, lostBytes: UInt64, lostText: UInt64) {
        self.kind = kind
        self.offset = offset
        self.member = member
        self.lostBytes = lostBytes
        self.lostText = lostText
    }
}
