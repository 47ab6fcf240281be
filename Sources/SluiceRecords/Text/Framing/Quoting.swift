/// How fields stand in a record, as far as it must be known to cut text into records.
package struct Quoting: Sendable, Hashable {
    package var separator: UInt8
    /// Opens a field where it is the field's first byte, and closes it. `nil`: there are no quotes.
    package var quote: UInt8?
    /// Takes the meaning from a quote after it, between quotes. A quote twice stands for one, too.
    package var escape: UInt8
    /// A record that begins with it is none.
    package var comment: UInt8?
    /// Whether blanks around a field are no part of it, so that a quote may stand after them.
    package var trimsBlanks: Bool
    /// Whether the first record of a file is its head.
    package var hasHead: Bool
    /// How many fields a record has, where the head does not say it.
    package var fieldCount: Int?

    package init(
        separator: UInt8 = UInt8(ascii: ","), quote: UInt8? = UInt8(ascii: "\""), escape: UInt8? = nil, comment: UInt8? = nil,
        trimsBlanks: Bool = false, hasHead: Bool = false, fieldCount: Int? = nil
    ) {
        self.separator = separator
        self.quote = quote
        self.escape = escape ?? quote ?? separator
        self.comment = comment
        self.trimsBlanks = trimsBlanks
        self.hasHead = hasHead
        self.fieldCount = fieldCount
    }

    @inline(__always)
    func isBlank(_ byte: UInt8) -> Bool { (byte == 0x20 || byte == 0x09) && byte != separator }

    /// Whether a line holds no record: nothing but blanks, or a comment.
    func isEmpty(_ line: UnsafeBufferPointer<UInt8>) -> Bool {
        if let comment, line.first == comment { return true }
        return line.allSatisfy { isBlank($0) || $0 == 0x0D }
    }
}
