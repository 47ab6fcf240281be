/// The unit of work and of acknowledgement: about 1 MiB of decompressed bytes of one input, cut where a record ends.
///
/// Where a batch ends depends on the input's bytes alone: it holds as many whole records as fit into ``targetBytes`` from its first byte, or
/// one record if that is longer. Nothing here depends on how the bytes arrived or on the number of workers.
///
/// `@unchecked Sendable`: a batch belongs to one job at a time. The reader fills it, then it moves from stage to stage and is never shared.
public final class Batch: @unchecked Sendable {
    /// 1 MiB.
    public static let targetBytes = 1 << 20

    /// The batch's bytes. At least ``ByteBuffer/padding`` readable bytes follow the last one.
    public let bytes: ByteBuffer
    /// The records in input order, each without its line feed.
    public var frames: [Frame] = []
    /// Which input of the run, from 0.
    public let input: Int
    /// Where the batch's first byte stands in the decompressed input, from 0.
    public let offset: UInt64
    /// The line number of the first record, from 1.
    public let line: UInt64
    /// The gzip member of each record, as runs: `firstFrame` and all after it, up to the next run, begin in `member` (from 0).
    public var members: [MemberRun] = []
    /// Records that were longer than the limit; their bytes are in a file of their own. In input order.
    public var oversized: [OversizedRecord] = []
    /// Damage that was met while this batch was read. It lies behind the batch's last record.
    public var damage: [Damage] = []
    /// Compressed bytes of the input that were used up when this batch was cut, for progress.
    public var compressedBytesRead: UInt64 = 0

    public init(bytes: ByteBuffer, input: Int, offset: UInt64, line: UInt64) {
        self.bytes = bytes
        self.input = input
        self.offset = offset
        self.line = line
    }
}

/// One record as bytes of its batch. A carriage return before the line feed is part of it; the line feed is not.
public struct Frame: BitwiseCopyable, Sendable {
    public var start: UInt32
    public var count: UInt32
    /// Its line, counted from the batch's ``Batch/line``. Oversized records and lines joined to one record leave gaps.
    public var lineDelta: UInt32

    public init(start: UInt32, count: UInt32, lineDelta: UInt32) {
        self.start = start
        self.count = count
        self.lineDelta = lineDelta
    }
}

public struct MemberRun: Sendable, Equatable {
    public var firstFrame: Int
    public var member: Int

    public init(firstFrame: Int, member: Int) {
        self.firstFrame = firstFrame
        self.member = member
    }
}

/// Where a record begins.
public struct Position: Sendable, Equatable {
    /// The gzip member it begins in, from 0; 0 for plain text.
    public var member: Int
    /// Bytes before it in the decompressed input.
    public var offset: UInt64
    /// From 1.
    public var line: UInt64

    public init(member: Int, offset: UInt64, line: UInt64) {
        self.member = member
        self.offset = offset
        self.line = line
    }
}

/// A record over the limit: set aside in a gzip file of its own, whole, so that memory stays bounded and nothing is lost.
public struct OversizedRecord: Sendable {
    /// It stands before the frame with this index.
    public var beforeFrame: Int
    public var position: Position
    /// Decompressed, without the line feed.
    public var byteCount: UInt64
    public var isUTF8: Bool
    /// The gzip file that holds its bytes; removed once the dead letter is written.
    public var spill: String

    public init(beforeFrame: Int, position: Position, byteCount: UInt64, isUTF8: Bool, spill: String) {
        self.beforeFrame = beforeFrame
        self.position = position
        self.byteCount = byteCount
        self.isUTF8 = isUTF8
        self.spill = spill
    }
}

/// A part of a compressed input that could not be read.
public struct Damage: Sendable, Equatable {
    public enum Kind: String, Sendable {
        case truncated, corrupt, header, crc, length
        case trailingGarbage = "trailing-garbage"
        case readError = "read-error"
    }

    public var kind: Kind
    /// The byte of the file (compressed) where it was met: `file@byte`.
    public var offset: UInt64
    /// The gzip member, from 0.
    public var member: Int
    /// Compressed bytes that were passed over. 0 where everything was delivered but cannot be vouched for (`crc`, `length`).
    public var lostBytes: UInt64
    /// Decompressed bytes of the record that the damage cut off, which were not delivered.
    public var lostText: UInt64

    public init(kind: Kind, offset: UInt64, member: Int, lostBytes: UInt64, lostText: UInt64) {
        self.kind = kind
        self.offset = offset
        self.member = member
        self.lostBytes = lostBytes
        self.lostText = lostText
    }
}
