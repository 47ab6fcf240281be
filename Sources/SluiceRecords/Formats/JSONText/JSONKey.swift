/// The name of a member, escaped once and with its colon: `"status":`.
public struct JSONKey: Sendable, Equatable {
    let text: [UInt8]

    public init(_ name: String) {
        let buffer = ByteBuffer(capacity: name.utf8.count + 3)
        JSONText.write(name, to: buffer)
        buffer.append(UInt8(ascii: ":"))
        text = Array(buffer.filled)
    }
}
