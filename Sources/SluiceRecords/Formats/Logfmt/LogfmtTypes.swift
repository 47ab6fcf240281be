import SluiceCEL

/// The types of the fields that are not text.
struct LogfmtTypes: Sendable {
    private var entries: [(key: [UInt8], type: FieldType)] = []

    init() {}

    init(_ types: FieldTypes) {
        entries = types.byName.filter { $0.value != .string }.map { (Array($0.key.text.utf8), $0.value) }
    }

    @inline(__always)
    func type(of key: UnsafeBufferPointer<UInt8>) -> FieldType? { entries.isEmpty ? nil : find(key) }

    private func find(_ key: UnsafeBufferPointer<UInt8>) -> FieldType? {
        entries.first { $0.key.count == key.count && key.elementsEqual($0.key) }?.type
    }

    /// The columns whose values JSON writes as strings: all times, and doubles that are no numbers.
    func columns(among names: [String]) -> [(column: Int, type: FieldType)] {
        names.enumerated().compactMap { column, name in
            var name = name
            let type = name.withUTF8 { self.type(of: $0) }
            return type.flatMap { $0 == .timestamp || $0 == .double ? (column, $0) : nil }
        }
    }
}

/// Decodes records with typed fields, of which the rewritten objects have some as strings.
struct LogfmtDecoder: RecordDecoder {
    let decoder: RewritingDecoder<LogfmtRewriter>
    let typed: [(column: Int, type: FieldType)]

    func decode(_ text: UnsafeBufferPointer<UInt8>, row: Int, into table: RowTable) {
        decoder.decode(text, row: row, into: table)
        convert(row, of: table)
    }

    func decode(_ frames: [Frame], of base: UnsafePointer<UInt8>, into table: RowTable) {
        decoder.decode(frames, of: base, into: table)
        for row in frames.indices { convert(row, of: table) }
    }

    @inline(__always)
    private func convert(_ row: Int, of table: RowTable) {
        let cells = table.row(row)
        for (column, type) in typed where cells[column].kind == .string {
            let text = cells[column].textBytes
            guard let start = text.baseAddress, let cell = type.cell(start, start + text.count) else { continue }
            cells[column] = cell
        }
    }
}
