/// Serializes the state of a stage. Equal states give equal bytes.
struct StateWriter {
    private(set) var bytes: [UInt8] = []

    /// - Parameter capacity: the bytes to make room for.
    init(capacity: Int = 0) { bytes.reserveCapacity(capacity) }

    /// Writes a variable-length integer: groups of seven bits, lowest first, as few as possible.
    mutating func write(_ number: UInt64) {
        var rest = number
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    mutating func write(_ number: Int) { write(UInt64(number)) }

    /// Writes the bytes, preceded by their count.
    mutating func write(_ text: UnsafeBufferPointer<UInt8>) {
        write(text.count)
        bytes += text
    }

    mutating func write(_ text: String) {
        var text = text
        text.withUTF8 { write($0) }
    }
}

/// Reads what a ``StateWriter`` wrote, and detects when the bytes are something else.
///
/// Unsafe memory: reads from a padded copy of the bytes, so that vector loads may read past the
/// end.
struct StateReader {
    private let buffer: ByteBuffer
    private var place: Int
    private let end: Int

    /// - Parameters:
    ///   - buffer: must not change as long as the reader is used.
    ///   - range: the bytes to read; by default all.
    init(_ buffer: ByteBuffer, _ range: Range<Int>? = nil) {
        self.buffer = buffer
        (place, end) = (range?.lowerBound ?? 0, range?.upperBound ?? buffer.count)
    }

    init(_ bytes: [UInt8]) {
        let buffer = ByteBuffer(capacity: bytes.count)
        bytes.withUnsafeBufferPointer { buffer.append($0) }
        self.init(buffer)
    }

    var isAtEnd: Bool { place == end }
    var left: Int { end - place }

    mutating func byte() throws(CheckpointError) -> UInt8 {
        guard place < end else { throw CheckpointError("the state is truncated") }
        defer { place += 1 }
        return buffer.start[place]
    }

    mutating func number() throws(CheckpointError) -> UInt64 {
        var result: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let next = try byte()
            guard shift < 63 || (shift == 63 && next <= 1), shift == 0 || next != 0 else { throw CheckpointError("invalid number") }
            result |= UInt64(next & 0x7F) << shift
            if next < 0x80 { return result }
            shift += 7
        }
    }

    /// Reads a count of items that follow, each of at least one byte.
    mutating func count() throws(CheckpointError) -> Int {
        let number = try number()
        guard number <= UInt64(left) else { throw CheckpointError("the state is truncated") }
        return Int(number)
    }

    /// Reads text preceded by its count. Valid as long as the reader.
    mutating func text() throws(CheckpointError) -> UnsafeBufferPointer<UInt8> {
        let count = try count()
        defer { place += count }
        return UnsafeBufferPointer(start: buffer.start + place, count: count)
    }

    mutating func string() throws(CheckpointError) -> String { String(decoding: try text(), as: UTF8.self) }
}
