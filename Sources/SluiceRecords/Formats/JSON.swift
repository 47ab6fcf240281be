import SluiceCEL

/// `json`: whole documents, whose records are read one by one.
package struct JSON: Format {
    package static let declaration = Declaration(
        "json", "JSON documents: lists, objects, or the list at a path, read record by record",
        argument: .keys([
            ArgumentKey(
                "records", .short(.list(.text), for: "records", in: []), example: "records: Records",
                "the path of the list of records in each document: names separated by dots, or a list of names")
        ]),
        example: "format: {json: {records: Records}}")

    static let failureCode = "parse.json"

    /// The names that lead to the list of records.
    private var path: [String] = []

    package init() {}

    package init?(_ options: Arguments?, _ checking: inout Checking) {
        guard let records = options?["records"] else { return }
        path = records.leaves?.map(\.text) ?? []
        if path.count == 1 { path = path[0].split(separator: ".", omittingEmptySubsequences: false).map(String.init) }
        if path.contains("") {
            checking.report("json: a name in 'records' is empty", at: records.place, fix: "write the names that lead to the list: records: data.items")
            return nil
        }
    }

    package var framing: Framing { .documents(path: path) }
    package var schema: Schema { .open }

    package func makeDecoder(columns: [String], spans: Bool) -> any RecordDecoder {
        JSONLinesDecoder(columns: columns, spans: spans, failingWith: Self.failureCode)
    }
}

extension JSON: VariedFormat {
    /// A single object that begins with a list of objects is probably there for the list.
    package static func variants(for text: [UInt8]) -> [FormatVariant] {
        var rest = text[...]
        func next() -> UInt8? {
            rest = rest.drop { $0 == 0x20 || $0 == 0x09 || $0 == 0x0A || $0 == 0x0D }
            return rest.popFirst()
        }
        guard next() == UInt8(ascii: "{"), next() == UInt8(ascii: "\"") else { return [] }
        let name = String(decoding: rest.prefix { $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") && $0 >= 0x20 }, as: UTF8.self)
        rest = rest.dropFirst(name.utf8.count)
        guard next() == UInt8(ascii: "\""), next() == UInt8(ascii: ":"), next() == UInt8(ascii: "["), next() == UInt8(ascii: "{") else { return [] }
        guard let first = name.unicodeScalars.first, first.properties.isAlphabetic, name.unicodeScalars.allSatisfy({ $0.properties.isAlphabetic || $0 == "_" })
        else { return [] }
        // Further lines of the kind are records with lists.
        let documents = text.split(separator: 0x0A).count { $0.starts(with: "{\"\(name)\"".utf8) }
        guard documents <= 1 else { return [] }
        return [FormatVariant("records", .list([.leaf(Leaf(name))], Leaf("").place), as: name, winsTies: true)]
    }
}

extension RecordFormat {
    /// JSON documents: a list of records, or objects that are one each. Documents may follow one
    /// another.
    public static let json = RecordFormat(JSON.self)

    /// JSON documents with a list of records at a path.
    ///
    /// - Parameter records: the names that lead to the list.
    public static func json(records: String...) -> RecordFormat { RecordFormat(JSON.self) { ["records": $0.argument(records)] } }
}
