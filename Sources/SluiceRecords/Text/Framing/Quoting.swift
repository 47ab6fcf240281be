/// The syntax of fields in a record, as far as it is needed to cut text into records.
package struct Quoting: Sendable, Hashable {
    package var separator: UInt8
    /// Opens a field if it is the field's first byte, and closes it. `nil`: there are no quotes.
    package var quote: UInt8?
    /// Escapes a quote within quotes. A doubled quote stands for one, too.
    package var escape: UInt8
    /// A line that begins with this byte is a comment, not a record.
    package var comment: UInt8?
    /// Whether blanks around a field are not part of it, so that a quote may follow them.
    package var trimsBlanks: Bool
    /// Whether the first record of a file is its head.
    package var hasHead: Bool
    /// Whether the head may consist of directives instead; see ``LogDirectives``.
    package var hasDirectives: Bool
    /// The number of fields of a record, if the head does not determine it.
    package var fieldCount: Int?

    package init(
        separator: UInt8 = UInt8(ascii: ","), quote: UInt8? = UInt8(ascii: "\""), escape: UInt8? = nil, comment: UInt8? = nil,
        trimsBlanks: Bool = false, hasHead: Bool = false, hasDirectives: Bool = false, fieldCount: Int? = nil
    ) {
        self.separator = separator
        self.quote = quote
        self.escape = escape ?? quote ?? separator
        self.comment = comment
        self.trimsBlanks = trimsBlanks
        self.hasHead = hasHead
        self.hasDirectives = hasDirectives
        self.fieldCount = fieldCount
    }

    @inline(__always)
    func isBlank(_ byte: UInt8) -> Bool { (byte == 0x20 || byte == 0x09) && byte != separator }

    /// Whether a line has no record: it is blank or a comment.
    func isEmpty(_ line: UnsafeBufferPointer<UInt8>) -> Bool {
        if let comment, line.first == comment { return true }
        return line.allSatisfy { isBlank($0) || $0 == 0x0D }
    }
}
