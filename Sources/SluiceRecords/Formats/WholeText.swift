/// Recognizes texts that no format of records can read by their first bytes, for messages with a
/// fix.
package struct WholeText: Sendable, Equatable {
    package let what: String
    package let fix: String

    private init(_ what: String, _ fix: String) {
        self.what = what
        self.fix = fix
    }

    /// `nil` if the text may consist of records.
    ///
    /// - Parameter readsDocuments: whether these may be JSON documents.
    package init?(_ text: [UInt8], readsDocuments: Bool = false) {
        if let unreadable = WholeText(unreadable: text) {
            self = unreadable
        } else if !readsDocuments, let document = Self.document(in: text) {
            self = document
        } else {
            return nil
        }
    }

    /// `nil` if the text may be lines of any kind.
    package init?(unreadable text: [UInt8]) {
        if text.starts(with: [0x1F, 0x8B]) {
            self.init("gzip inside gzip", "unpack it once: gzip -dc FILE > FILE.once")
        } else if Self.isUTF16(text) {
            self.init("UTF-16 text", "set 'encoding: \(TextEncoding(guessedFrom: text).rawValue)' in the source")
        } else if text.withUnsafeBufferPointer(TarHeader.begins) {
            self.init("a tar archive", "'archive: tar' in the source reads the files in it")
        } else {
            return nil
        }
    }

    /// Whether the text has a byte order mark, or every other byte is zero.
    fileprivate static func isUTF16(_ text: [UInt8]) -> Bool {
        if text.starts(with: [0xFF, 0xFE]) || text.starts(with: [0xFE, 0xFF]) { return true }
        let beginning = text.prefix(256)
        guard beginning.count >= 8 else { return false }
        let zeros = [0, 1].map { side in beginning.indices.count { $0 % 2 == side && beginning[$0] == 0 } }
        return zeros.contains { 2 * $0 > beginning.count - 4 } && zeros.contains(0)
    }

    /// A single JSON value over several lines, or an array.
    private static func document(in text: [UInt8]) -> WholeText? {
        let blanks: [UInt8] = [0x20, 0x09, 0x0A, 0x0D]
        guard let start = text.firstIndex(where: { !blanks.contains($0) }) else { return nil }
        let reader = documentFormat.map { "read it with format: \($0)" }
        if text[start] == UInt8(ascii: "[") {
            // A log line may also begin with a bracket.
            let next = text[(start + 1)...].first { !blanks.contains($0) }
            guard let next, "{[\"]".utf8.contains(next), let value = FirstValue(in: text[start...]) else { return nil }
            guard value.after.allSatisfy(blanks.contains) else { return nil }
            return WholeText("one JSON array, not one record per line", reader ?? "convert it: jq -c '.[]' FILE")
        }
        guard text[start] == UInt8(ascii: "{"), FirstValue(in: text[start...])?.hasLineFeed == true else { return nil }
        return WholeText("one JSON document over several lines, not one record per line", reader ?? "convert it: jq -c . FILE")
    }

    /// The format for such documents, if this version has one.
    private static var documentFormat: String? { Formats.allNames.first { $0 + "l" == JSONL.name } }
}

/// The first JSON value of a text that begins with a bracket, as far as the text goes.
///
/// Follows brackets, strings and what may come before them: enough to tell a value over several
/// lines from a record that is broken off, with other records after it.
private struct FirstValue {
    /// Whether it goes on after its first line.
    private(set) var hasLineFeed = false
    /// The text after it.
    private(set) var after: ArraySlice<UInt8> = []

    /// `nil` if it is not valid.
    init?(in text: ArraySlice<UInt8>) {
        var (depth, isInString, isEscaped) = (0, false, false)
        var previous = UInt8(ascii: ",")
        for (index, byte) in zip(text.indices, text) {
            if isInString {
                if byte < 0x20 { return nil }
                if isEscaped { isEscaped = false } else if byte == UInt8(ascii: "\\") { isEscaped = true } else { isInString = byte != UInt8(ascii: "\"") }
                continue
            }
            switch byte {
            case 0x0A: hasLineFeed = true
            case 0x20, 0x09, 0x0D: break
            case UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "\""):
                guard "{[,:".utf8.contains(previous) else { return nil }
                if byte == UInt8(ascii: "\"") { isInString = true } else { depth += 1 }
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                if depth == 0 {
                    after = text[(index + 1)...]
                    return
                }
            default:
                guard ",:+-.0123456789Eaeflnrstu".utf8.contains(byte) else { return nil }
            }
            if byte > 0x20 { previous = byte }
        }
    }
}

extension TextEncoding {
    /// The probable encoding of a text from its first bytes.
    ///
    /// Text is UTF-8 unless it has characters beyond ASCII and none of them is valid: then it is
    /// ISO 8859-1, if it has no control characters, which other encodings use for letters.
    package init(guessedFrom text: [UInt8]) {
        if WholeText.isUTF16(text) {
            let isBigEndian = text[0] == 0 || text.starts(with: [0xFE, 0xFF])
            self = text[0] >= 0xFE ? .utf16 : isBigEndian ? .utf16BigEndian : .utf16LittleEndian
            return
        }
        let wide = text.split(separator: UInt8(ascii: "\n")).filter { line in line.contains { $0 >= 0x80 } }
        let isLatin1 =
            !wide.isEmpty && wide.allSatisfy { String(validating: $0, as: UTF8.self) == nil }
            && text.allSatisfy { (0x20..<0x7F).contains($0) || $0 >= 0xA0 || [0x09, 0x0A, 0x0D].contains($0) }
        self = isLatin1 ? .latin1 : .utf8
    }
}
