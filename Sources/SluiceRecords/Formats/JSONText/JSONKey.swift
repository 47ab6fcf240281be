/// The name of a member, escaped once and with its colon: `"status":`.
public struct JSONKey: Sendable, Equatable {
    public let name: String
    let text: [UInt8]

    public init(_ name: String) {
        self.name = name
        let buffer = ByteBuffer(capacity: name.utf8.count + 3)
        JSONText.write(name, to: buffer)
        buffer.append(UInt8(ascii: ":"))
        text = Array(buffer.filled)
    }

    @inline(__always)
    func write(to buffer: ByteBuffer) {
        text.withUnsafeBufferPointer { buffer.append($0) }
    }
}
