import SluiceCEL

/// `tsv`: tab-separated fields. Tabs and line ends within a field are escaped; quotes are text.
package struct TSV: HeadedFormat {
    package static let declaration = Declaration(
        "tsv", "fields between tabs, with escapes; a header in each file",
        argument: .keys([
            ArgumentKey(
                "columns", .list(.newField, isSet: true), example: "columns: [id, name]",
                "reading: the fields, where files have no header; writing: the fields that are written, in this order"),
            ArgumentKey(
                "header", .flag, example: "header: false",
                "whether files begin with a header: `true` by default, but for reading with `columns`"),
            ArgumentKey(
                "nulls", .possiblyEmpty(.short(.list(.text), for: "nulls", in: [])), example: "nulls: ['\\N', '']",
                "reading: fields that stand for no value; `['\\N']` by default, which is what is written"),
            ArgumentKey(
                "at_least", .integer(1...(1 << 15)), example: "at_least: 23",
                "reading: how many fields a record must have, where the last ones may be missing; by default all"),
            ArgumentKey(
                "types", .entries(key: .newField, value: .choice(FieldType.allCases.map(\.rawValue))),
                example: "types: {status: int, price: double}",
                "reading: what fields are; text by default"),
        ]),
        example: "format: {tsv: {columns: [id, name]}}")

    static let null = "\\N"

    private var nulls = Nulls([TSV.null])
    /// The columns in the definition.
    var columns: [Leaf]?
    private var types = FieldTypes()
    /// The number of fields that every record must have.
    private var leastFields: Int?
    /// Whether files that are read begin with a header.
    private var hasHead = true
    /// Whether outputs begin with a header.
    var writesHeader = true
    /// The places of options that apply only to reading.
    private(set) var readingOptions: [(name: String, place: TextPlace)] = []
    /// The place of an option that leaves the fields without names: no header and no `columns`.
    private var missingNames: TextPlace?
    /// The names of the fields, once they are known.
    private var names: [String]?
    /// Why the records of a file cannot be read.
    private var problem: String?

    package init() {}

    package init?(_ options: Arguments?, _ checking: inout Checking) {
        guard let options else { return }
        if let nulls = options["nulls"]?.leaves { self.nulls = Nulls(nulls.map(\.text)) }
        columns = options["columns"]?.leaves
        types = FieldTypes(options)
        leastFields = options["at_least"]?.integer
        let header = options["header"]?.flag
        writesHeader = header ?? true
        hasHead = header ?? (columns == nil)
        names = columns?.map(\.text)
        if header == false, columns == nil { missingNames = options["header"]?.place }
        readingOptions = ["at_least", "nulls", "types"].compactMap { name in options[name].map { (name, $0.place) } }
    }

    package var framing: Framing { framing(hasHead: hasHead) }
    package var needsHead: Bool { names == nil }

    func framing(hasHead: Bool) -> Framing {
        .quoted(Quoting(separator: 0x09, quote: nil, hasHead: hasHead, fieldCount: columns?.count))
    }

    package var schema: Schema {
        guard let names = names ?? (problem == nil ? nil : []) else { return .open }
        return types.schema(of: names)
    }

    package func completed(by head: FileHead) -> any Format {
        var completed = self
        completed.problem = head.problem
        if names == nil, head.problem == nil { completed.names = Self.names(in: head.bytes) }
        return completed
    }

    /// The names in a header, made unique. Invalid UTF-8 becomes U+FFFD.
    private static func names(in head: [UInt8]) -> [String] {
        var line = head[...]
        while line.last == 0x0D { line.removeLast() }
        return FieldNames.unique(
            line.split(separator: 0x09, omittingEmptySubsequences: false).map { String(decoding: TSVEscapes.undone(Array($0)), as: UTF8.self) })
    }

    package func makeDecoder(columns: [String], spans: Bool) -> any RecordDecoder {
        TSVDecoder(
            nulls: nulls, names: names ?? [], leastFields: leastFields, types: types.byName, columns: columns,
            authority: self.columns == nil ? "the header has" : "'columns' has",
            problem: problem ?? (names == nil ? "the file has no header" : nil))
    }

    package func checkReading(_ checking: inout Checking) {
        if let missingNames {
            checking.report("tsv: without a header the fields have no names", at: missingNames, fix: "name them: columns: [id, name]")
        }
        if let columns { types.check("tsv", against: columns, &checking) }
    }
}

extension RecordFormat {
    /// Tab-separated fields with escapes. See docs/formats.md.
    ///
    /// - Parameters:
    ///   - columns: when reading, the fields of files without a header; when writing, the fields to
    ///     write, in order.
    ///   - hasHeader: whether each file begins with a header; by default if no columns are given.
    public static func tsv(columns: [String]? = nil, hasHeader: Bool? = nil) -> RecordFormat {
        RecordFormat(TSV.self) { script in
            var options: [String: Argument] = [:]
            options["columns"] = columns.map { script.argument($0) }
            options["header"] = hasHeader.map { .flag($0, script.place) }
            return options
        }
    }
}
