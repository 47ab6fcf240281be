/// The unit of work and of acknowledgement: about 1 MiB of decompressed bytes of one input, cut
/// where a record ends.
///
/// Where a batch ends depends on the input's bytes alone: it holds as many whole records as fit
/// into ``targetBytes`` from its first byte, or one record if that is longer. Nothing here depends
/// on how the bytes arrived or on the number of workers.
///
/// `@unchecked Sendable`: a batch belongs to one job at a time. The reader fills it, then it moves
/// from stage to stage and is never shared.
package final class Batch: @unchecked Sendable {
    /// 1 MiB.
    package static let targetBytes = 1 << 20

    /// The batch's bytes. At least ``ByteBuffer/padding`` readable bytes follow the last one.
    package let bytes: ByteBuffer
    /// The records in input order, each without its line feed.
    package var frames: [Frame] = []
    /// Which input of the run, from 0.
    package let input: Int
    /// The head of its file, where the format has one.
    package var head: FileHead?
    /// Where the batch's first byte stands in the decompressed input, from 0.
    package let offset: UInt64
    /// The line number of the first record, from 1.
    package let line: UInt64
    /// The gzip member of each record, as runs: `firstFrame` and all after it, up to the next run,
    /// begin in `member` (from 0).
    package var members: [MemberRun] = []
    /// Records that were longer than the limit; their bytes are in a file of their own. In input
    /// order.
    package var oversized: [OversizedRecord] = []
    /// Damage that was met while this batch was read. It lies after the batch's last record.
    package var damage: [Damage] = []
    /// Compressed bytes of the input that were used up when this batch was cut, for progress.
    package var compressedBytesRead: UInt64 = 0
    /// Where the input goes on after this batch.
    package var end = Position(member: 0, offset: 0, line: 1)

    package init(bytes: ByteBuffer, input: Int, offset: UInt64, line: UInt64) {
        self.bytes = bytes
        self.input = input
        self.offset = offset
        self.line = line
    }
}

/// One record as bytes of its batch. A carriage return before the line feed is part of it; the line
/// feed is not.
package struct Frame: BitwiseCopyable, Sendable {
    package var start: UInt32
    package var count: UInt32
    /// Its line, counted from the batch's ``Batch/line``. Oversized records and lines joined to one
    /// record leave gaps.
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
package struct Position: Sendable, Equatable {
    /// The gzip member it begins in, from 0; 0 for plain text.
    package var member: Int
    /// Bytes before it in the decompressed input.
    package var offset: UInt64
    /// From 1.
    package var line: UInt64

    package init(member: Int, offset: UInt64, line: UInt64) {
        self.member = member
        self.offset = offset
        self.line = line
    }
}

/// A record over the limit: set aside in a gzip file of its own, whole, so that memory stays
/// bounded and nothing is lost.
package struct OversizedRecord: Sendable {
    /// It stands before the frame with this index.
    package var beforeFrame: Int
    package var position: Position
    /// Decompressed, without the line feed.
    package var byteCount: UInt64
    package var isUTF8: Bool
    /// The gzip file that holds its bytes; removed once the dead letter is written.
    package var spill: String

    package init(beforeFrame: Int, position: Position, byteCount: UInt64, isUTF8: Bool, spill: String) {
        self.beforeFrame = beforeFrame
        self.position = position
        self.byteCount = byteCount
        self.isUTF8 = isUTF8
        self.spill = spill
    }
}

/// A part of a compressed input that could not be read.
package struct Damage: Sendable, Equatable {
    package enum Kind: String, Sendable {
        case truncated, corrupt, header, crc, length
        case trailingGarbage = "trailing-garbage"
        case readError = "read-error"
    }

    package var kind: Kind
    /// The byte of the file (compressed) where it was met: `file@byte`.
    package var offset: UInt64
    /// The gzip member, from 0.
    package var member: Int
    /// Compressed bytes that were passed over. 0 where everything was delivered but cannot be
    /// vouched for (`crc`, `length`).
    package var lostBytes: UInt64
    /// Decompressed bytes of the record that the damage cut off, which were not delivered.
    package var lostText: UInt64

    package init(kind: Kind, offset: UInt64, member: Int, lostBytes: UInt64, lostText: UInt64) {
        self.kind = kind
        self.offset = offset
        self.member = member
        self.lostBytes = lostBytes
        self.lostText = lostText
    }
}
