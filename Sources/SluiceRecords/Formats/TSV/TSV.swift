import SluiceCEL

/// `tsv`: tab-separated fields. Tabs and line ends within a field are escaped; quotes are text.
///
/// Also reads the logs of Zeek and W3C's extended log format, whose `#` lines say how the records
/// after them are written.
package struct TSV: HeadedFormat {
    package static let declaration = Declaration(
        "tsv", "tab-separated values with escapes; each file has a header",
        argument: .keys([
            FieldOptions.columnsKey, FieldOptions.headerKey,
            ArgumentKey(
                "nulls", .possiblyEmpty(.short(.list(.text), for: "nulls", in: [])), example: "nulls: ['\\N', '']",
                "reading: texts that stand for a missing value; by default `['\\N']`, which is also what is written, or what a log's `#` lines say"),
            FieldOptions.leastKey, FieldOptions.typesKey,
        ]),
        example: "format: {tsv: {columns: [id, name]}}")

    static let null = "\\N"

    private var nulls: Nulls?
    private var fields = FieldOptions()
    /// The `#` lines before the records, if the file has any.
    private var directives: LogDirectives?
    /// The places of options that apply only to reading.
    private(set) var readingOptions: [(name: String, place: TextPlace)] = []

    var columns: [Leaf]? { fields.columns }
    var writesHeader: Bool { fields.writesHeader }

    package init() {}

    package init?(_ options: Arguments?, _ checking: inout Checking) {
        guard let options else { return }
        nulls = options["nulls"]?.leaves.map { Nulls($0.map(\.text)) }
        fields = FieldOptions(options)
        readingOptions = ["at_least", "nulls", "types"].compactMap { name in options[name].map { (name, $0.place) } }
    }

    package var framing: Framing { framing(hasHead: fields.hasHead, hasDirectives: fields.hasHead) }
    package var needsHead: Bool { fields.needsHead }

    func framing(hasHead: Bool, hasDirectives: Bool = false) -> Framing {
        .quoted(Quoting(separator: 0x09, quote: nil, hasHead: hasHead, hasDirectives: hasDirectives, fieldCount: columns?.count))
    }

    package var schema: Schema {
        guard let names = fields.knownNames else { return .open }
        if directives?.types == nil { return fields.schema }
        return .known(zip(names, types(of: names)).map { Schema.Field(name: $0, type: $1.celType) })
    }

    package func completed(by head: FileHead) -> any Format {
        var completed = self
        completed.directives = head.directives
        completed.fields.complete(by: head) {
            let names = head.directives.map { $0.names ?? [] } ?? Self.names(in: head.bytes)
            let undone = names.map { String(decoding: head.directives == nil ? TSVEscapes.undone($0) : ZeekEscapes.undone($0), as: UTF8.self) }
            return .success(FieldNames.unique(undone))
        }
        return completed
    }

    /// The names in a header, with their escapes.
    private static func names(in head: [UInt8]) -> [[UInt8]] {
        var line = head[...]
        while line.last == 0x0D { line.removeLast() }
        return line.split(separator: 0x09, omittingEmptySubsequences: false).map(Array.init)
    }

    /// The types of the definition, or else those of the file.
    private func types(of names: [String]) -> [FieldType] {
        let own = fields.types.byName
        let told = directives?.fieldTypes ?? []
        return names.enumerated().map { own[Name($1)] ?? ($0 < told.count ? told[$0] : .string) }
    }

    package func makeDecoder(columns: [String], spans: Bool) -> any RecordDecoder {
        let layout = fields.layout(TSVDecoder.failureCode, columns: columns, types: types(of: fields.names ?? []))
        guard let directives else { return TSVDecoder(nulls: nulls ?? Nulls([Self.null]), layout) }
        let nulls = nulls ?? Nulls(bytes: [directives.unsetField])
        return directives.isW3C ? W3CDecoder(nulls: nulls, layout) : TSVDecoder(nulls: nulls, layout, ZeekText(directives))
    }

    package func checkReading(_ checking: inout Checking) { fields.checkReading("tsv", &checking) }
}

extension TSV: NullingFormat {
    static var defaultNulls: [String] { [null] }
}

extension TSV: InferringFormat {
    package var infersTypes: Bool { fields.infersTypes }
    package var typedFields: [String] { fields.typedFields }

    package func inferring(from sample: Batch) -> (format: any Format, types: [InferredField]) {
        let isTyped = sample.head?.directives?.types != nil
        let types = isTyped ? [] : FieldInference.types(in: sample, sample.head.map(completed) ?? self)
        var format = self
        format.fields.take(types)
        return (format, types)
    }
}

extension RecordFormat {
    /// Tab-separated fields with escapes. See docs/formats.md.
    ///
    /// - Parameters:
    ///   - columns: when reading, the fields of files without a header; when writing, the fields to
    ///     write, in order.
    ///   - hasHeader: whether each file begins with a header; by default if no columns are given.
    ///   - nulls: when reading, texts that stand for no value; `\N` by default, or what a log's `#`
    ///     lines say.
    ///   - leastFields: when reading, how many fields a record must have; by default all.
    ///   - types: when reading, the types of fields that are not text.
    public static func tsv(
        columns: [String]? = nil, hasHeader: Bool? = nil, nulls: [String]? = nil, leastFields: Int? = nil, types: ColumnTypes? = nil
    ) -> RecordFormat {
        RecordFormat(TSV.self) { script in
            var options: [String: Argument] = [:]
            options["columns"] = columns.map { script.argument($0) }
            options["header"] = hasHeader.map { .flag($0, script.place) }
            options["nulls"] = nulls.map { script.argument($0) }
            options["at_least"] = leastFields.map { .integer($0, script.place) }
            options["types"] = types.map { $0.argument(&script) }
            return options
        }
    }
}
