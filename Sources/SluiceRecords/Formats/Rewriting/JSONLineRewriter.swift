/// Rewrites a JSON object of several lines as a single line, without white space between its parts.
///
/// What is not JSON stays so, and fails to be decoded: two numbers with a blank between them do not
/// become one, and line feeds in strings are kept.
struct JSONLineRewriter: RecordRewriter {
    static let failureCode = JSONLinesDecoder.failureCode

    func rewrite(_ record: UnsafeBufferPointer<UInt8>, to buffer: ByteBuffer) -> Bool {
        guard !LineText.isBlank(record) else { return false }
        buffer.reserve(record.count)
        var isInString = false
        var isEscaped = false
        // Whether white space was left out before this byte, and the byte before that.
        var hasGap = false
        var last = UInt8(ascii: "{")
        for byte in record {
            if isInString {
                isInString = isEscaped || byte != UInt8(ascii: "\"")
                isEscaped = !isEscaped && byte == UInt8(ascii: "\\")
            } else if byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D {
                hasGap = true
                continue
            } else {
                if hasGap, !Self.isStructure(last), !Self.isStructure(byte) { buffer.append(0x20) }
                isInString = byte == UInt8(ascii: "\"")
                hasGap = false
            }
            buffer.append(byte)
            last = byte
        }
        return true
    }

    @inline(__always)
    private static func isStructure(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "{"), UInt8(ascii: "}"), UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: ","), UInt8(ascii: ":"): true
        default: false
        }
    }
}
