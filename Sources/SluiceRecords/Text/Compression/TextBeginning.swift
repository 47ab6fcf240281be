/// Checks whether an input with the name of a compressed file begins like text in the encoding of
/// the source.
///
/// Compressed data of a few dozen bytes already has control characters, which text has not. The
/// other conditions are for less.
enum TextBeginning {
    private static let count = 4 << 10
    /// A byte in this many may be one that the encoding does not allow: logs contain what clients
    /// send.
    private static let bytesForOther = 10
    /// Of UTF-16 without a byte order mark, a code unit in this many is ASCII: a digit, a space, a
    /// line feed.
    private static let unitsForASCII = 16

    static func isText(_ window: InputWindow, _ encoding: TextEncoding) -> Bool {
        let bytes = window.look(ahead: count).prefix(count)
        switch encoding {
        case .utf8: return !bytes.contains { isControl(UInt16($0)) } && invalidUTF8(bytes) <= bytes.count / bytesForOther
        case .latin1:
            // Control characters of ISO 8859-1 are letters in its relatives.
            let others = bytes.count { (0x7F...0x9F).contains($0) }
            return !bytes.contains { isControl(UInt16($0)) } && others <= bytes.count / bytesForOther
        case .utf16: return isUTF16(bytes, isBigEndian: bytes.starts(with: [0xFE, 0xFF]))
        case .utf16LittleEndian: return isUTF16(bytes, isBigEndian: false)
        case .utf16BigEndian: return isUTF16(bytes, isBigEndian: true)
        }
    }

    /// Whether text does not contain this: backspaces, bells and escapes for colors occur.
    private static func isControl(_ unit: UInt16) -> Bool { unit < 0x20 && !(0x07...0x0D).contains(unit) && unit != 0x1B }

    /// The number of places at which the bytes are not UTF-8, except for a last character that is
    /// cut off.
    private static func invalidUTF8(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> Int {
        if (0...3).contains(where: { String(validating: bytes.dropLast($0), as: UTF8.self) != nil }) { return 0 }
        var (invalid, decoder, rest) = (0, UTF8(), bytes.makeIterator())
        while true {
            switch decoder.decode(&rest) {
            case .scalarValue: continue
            case .error: invalid += 1
            case .emptyInput: return invalid
            }
        }
    }

    private static func isUTF16(_ bytes: Slice<UnsafeBufferPointer<UInt8>>, isBigEndian: Bool) -> Bool {
        var units: [UInt16] = []
        units.reserveCapacity(bytes.count / 2)
        for index in stride(from: bytes.startIndex, to: bytes.endIndex - 1, by: 2) {
            let (first, second) = (UInt16(bytes[index]), UInt16(bytes[index + 1]))
            units.append(isBigEndian ? first << 8 | second : second << 8 | first)
        }
        guard let first = units.first, !units.contains(where: { isControl($0) || $0 >= 0xFFFE }) else { return false }
        // The last unit may be the first half of a character that is cut off.
        guard (0...1).contains(where: { String(validating: units.dropLast($0), as: UTF16.self) != nil }) else { return false }
        return first == 0xFEFF || units.count { $0 < 0x80 } * unitsForASCII >= units.count
    }
}
