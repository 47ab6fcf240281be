package import SluiceCEL

/// Writes an object member by member. Escapes each key every time: if names are known beforehand,
/// ``JSONFields`` is faster.
package struct JSONObjectWriter {
    private let buffer: ByteBuffer
    private var isFirst = true

    package init(_ buffer: ByteBuffer) {
        self.buffer = buffer
        buffer.append(UInt8(ascii: "{"))
    }

    /// Writes nothing for an absent cell.
    package mutating func write(_ key: String, _ cell: Cell, _ scratch: Scratch) {
        guard cell.kind != .absent else { return }
        if !isFirst { buffer.append(UInt8(ascii: ",")) }
        isFirst = false
        JSONText.write(key, to: buffer)
        buffer.append(UInt8(ascii: ":"))
        JSONText.write(cell, scratch, to: buffer)
    }

    package func end() {
        buffer.append(UInt8(ascii: "}"))
    }
}
