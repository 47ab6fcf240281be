public import SluiceCEL

/// Writes one object, member by member, in the order they come.
public struct JSONObjectWriter {
    private let buffer: ByteBuffer
    private var isFirst = true

    public init(_ buffer: ByteBuffer) {
        self.buffer = buffer
        buffer.append(UInt8(ascii: "{"))
    }

    /// Nothing is written for an absent cell.
    @inline(__always)
    public mutating func write(_ key: JSONKey, _ cell: Cell, _ scratch: Scratch) {
        guard cell.kind != .absent else { return }
        if !isFirst { buffer.append(UInt8(ascii: ",")) }
        isFirst = false
        key.write(to: buffer)
        JSONText.write(cell, scratch, to: buffer)
    }

    /// Escapes the key each time: for names that are not known beforehand.
    public mutating func write(_ key: String, _ cell: Cell, _ scratch: Scratch) {
        write(JSONKey(key), cell, scratch)
    }

    public func end() {
        buffer.append(UInt8(ascii: "}"))
    }
}
