/// The encoded dead letters of a batch, cut into pieces.
///
/// Where they are cut depends on the text alone: at the first end of a letter after 256 KiB, or in
/// the middle of one after 512 KiB. So a letter of any size is escaped and compressed with little
/// memory.
final class LetterPieces {
    /// Small enough to hold, large enough to compress well.
    private static let pieceBytes = 256 << 10
    private static let mostBytes = 512 << 10
    /// A piece of at least this size is compressed here.
    private static let blockBytes = 128 << 10
    /// The size of text to add at once.
    static let sliceBytes = 48 << 10

    private(set) var done: [EncodedDeadLetter] = []
    /// Text that is in no piece yet. After text was added to it, ``cut()`` must be called.
    let lines = ByteBuffer(capacity: 4096)
    /// Set if lines are compressed here.
    private let writer: BlockWriter?
    private let spool: LetterSpool?
    private let packed = ByteBuffer(capacity: 0)
    /// The memory that the pieces take, in bytes.
    private var held = 0
    /// The number of letters that have ended in ``lines``.
    private var letters = 0

    init(_ writer: BlockWriter?, _ spool: LetterSpool?) {
        (self.writer, self.spool) = (writer, spool)
    }

    /// Makes pieces of the text of a letter that is longer than one.
    func cut() throws(OutputError) {
        while lines.count > Self.mostBytes { try cut(at: Self.mostBytes) }
    }

    /// Ends a letter.
    func endLetter() throws(OutputError) {
        try cut()
        letters += 1
        if lines.count >= Self.pieceBytes { try end() }
    }

    /// Makes a piece of the letters that are left.
    func end() throws(OutputError) {
        if lines.count > 0 { try cut(at: lines.count) }
    }

    /// Adds a letter that is in a file of its own.
    func add(_ letter: EncodedDeadLetter) throws(OutputError) {
        try end()
        done.append(letter)
    }

    func append(_ text: UnsafeBufferPointer<UInt8>) throws(OutputError) {
        var rest = text[...]
        while !rest.isEmpty {
            lines.append(UnsafeBufferPointer(rebasing: rest.prefix(Self.sliceBytes)))
            rest = rest.dropFirst(Self.sliceBytes)
            try cut()
        }
    }

    private func cut(at count: Int) throws(OutputError) {
        let text = UnsafeBufferPointer(rebasing: lines.filled[..<count])
        // ``DeadLetterFile`` gathers smaller ones across batches.
        if let writer, count >= Self.blockBytes {
            packed.count = 0
            let checksum = writer.append(text, to: packed)
            try add(packed.filled, checksum)
        } else {
            try add(text, nil)
        }
        lines.dropFirst(count)
        letters = 0
    }

    private func add(_ bytes: UnsafeBufferPointer<UInt8>, _ checksum: TextChecksum?) throws(OutputError) {
        if let spool, held + bytes.count > spool.mostHeld {
            return done.append(.stored(try spool.keep(bytes), checksum, records: letters))
        }
        held += bytes.count
        let kept = ByteBuffer(capacity: bytes.count)
        kept.append(bytes)
        done.append(checksum.map { .block(kept, $0, records: letters) } ?? .lines(kept))
    }
}
