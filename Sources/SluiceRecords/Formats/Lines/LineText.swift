/// Common to the line-based formats: where a line ends, and whether it is blank.
enum LineText {
    /// The length of a line without its end: LF, CR LF or CR. A source's lines come without LF, but
    /// a field of a record may have one.
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

    /// Whether there are only blanks, tabs and line ends.
    static func isBlank(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        text.allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D || $0 == 0x0A }
    }
}
