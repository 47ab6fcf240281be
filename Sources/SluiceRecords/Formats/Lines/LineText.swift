/// What the formats of lines hold in common: where a line ends, and when nothing is on it.
enum LineText {
    /// The bytes of a line without its end, LF, CR LF or CR. The lines of a source come without LF;
    /// a field of a record may bring one.
    @inline(__always)
    static func count(of text: UnsafeBufferPointer<UInt8>) -> Int {
        var count = text.count
        if count > 0, text[count - 1] == 0x0A { count -= 1 }
        if count > 0, text[count - 1] == 0x0D { count -= 1 }
        return count
    }

    static func withoutEnd(_ text: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(rebasing: text[..<count(of: text)])
    }

    /// Only blanks, tabs and line ends.
    static func isBlank(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        text.allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D || $0 == 0x0A }
    }
}
