/// Finds the `{…}` of a path. Offsets are in UTF-8 bytes.
struct BraceScan {
    private let bytes: [UInt8]
    private var index = 0

    init(_ text: String) {
        bytes = Array(text.utf8)
    }

    mutating func nextOpening() -> Int? {
        while index < bytes.count {
            index += 1
            if bytes[index - 1] == UInt8(ascii: "{") { return index - 1 }
        }
        return nil
    }

    /// The position of the brace that closes the last opening one; skips nested braces and quoted
    /// text.
    mutating func closing() -> Int? {
        var depth = 1
        var quote: UInt8?
        while index < bytes.count {
            let byte = bytes[index]
            defer { index += 1 }
            switch (byte, quote) {
            case (UInt8(ascii: "\\"), .some): index += 1
            case (let byte, let open?): if byte == open { quote = nil }
            case (UInt8(ascii: "'"), nil), (UInt8(ascii: "\""), nil), (UInt8(ascii: "`"), nil): quote = byte
            case (UInt8(ascii: "{"), nil): depth += 1
            case (UInt8(ascii: "}"), nil):
                depth -= 1
                if depth == 0 { return index }
            default: break
            }
        }
        return nil
    }
}
