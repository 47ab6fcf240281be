extension TSV: WritableFormat {
    package static let fileExtensions = [TSV.name]

    package var needsColumns: Bool { columns == nil }
    package var mentions: [String] { columns?.map(\.text) ?? [] }
    package var writesFields: Bool { columns == nil }
    package var writtenFraming: Framing { framing(hasHead: writesHeader) }

    package func checkWriting(_ checking: inout Checking, at place: TextPlace, areOwn: Bool) {
        for option in readingOptions {
            checking.report("tsv: '\(option.name)' is only for reading", at: option.place, fix: "remove it")
        }
        if let columns { checking.checkFields(columns) }
    }

    package func head(of columns: [String]) -> [UInt8] {
        let columns = self.columns?.map(\.text) ?? columns
        guard writesHeader, !columns.isEmpty else { return [] }
        let head = TSVText().head(of: columns)
        // Readers skip one byte order mark, so a name that begins with one needs another before it.
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        return head.starts(with: mark) ? mark + head : head
    }

    package func makeWriter(for fields: RecordFields, columns: [String]?) -> any RecordWriter {
        TSVText().makeWriter(for: fields, columns: self.columns?.map(\.text), sinkColumns: columns, head: head)
    }
}

/// Writes values as tab-separated fields.
struct TSVText: FieldText {
    func separate(_ buffer: ByteBuffer) { buffer.append(0x09) }

    func writeNull(to buffer: ByteBuffer) { buffer.append("\\N") }

    @inline(__always)
    func write(_ text: UnsafeBufferPointer<UInt8>, isFirst: Bool, isAlone: Bool, to buffer: ByteBuffer) {
        var rest = text[...]
        while let place = rest.firstIndex(where: { Self.letter(for: $0) != nil }), let letter = Self.letter(for: rest[place]) {
            buffer.append(UnsafeBufferPointer(rebasing: rest[..<place]))
            buffer.append(TSVEscapes.backslash)
            buffer.append(letter)
            rest = rest[(place + 1)...]
        }
        buffer.append(UnsafeBufferPointer(rebasing: rest))
    }

    func writeUnquoted(isNumber: Bool, to buffer: ByteBuffer, _ write: (ByteBuffer) -> Void) {
        Self.writeWithoutQuotes(to: buffer, write)
    }

    /// The byte after the backslash in the escape of this byte; `nil` if the byte is not escaped.
    @inline(__always)
    private static func letter(for byte: UInt8) -> UInt8? {
        switch byte {
        case 0x09: UInt8(ascii: "t")
        case 0x0A: UInt8(ascii: "n")
        case 0x0D: UInt8(ascii: "r")
        case TSVEscapes.backslash: byte
        default: nil
        }
    }
}
