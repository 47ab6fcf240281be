import SluiceCEL

/// `csv`: delimited fields, optionally quoted (RFC 4180 and its common variants).
package struct CSV: HeadedFormat {
    enum Quotes: String, CaseIterable, Sendable {
        case minimal, all, nonnumeric
    }

    package static let declaration = Declaration(
        "csv", "fields between separators, quoted where they need it; a header in each file",
        argument: .keys([
            ArgumentKey("separator", .text, example: "separator: ';'", "one character of ASCII; `,` by default"),
            ArgumentKey("quote", .text, example: #"quote: "'""#, "one character of ASCII, or `none`; `\"` by default"),
            ArgumentKey(
                "escape", .text, example: #"escape: '\'"#, "what stands before a quote that is text; by default the quote itself, twice"),
            ArgumentKey("comment", .text, example: "comment: '#'", "reading: lines that begin with it are left out"),
            ArgumentKey(
                "nulls", .possiblyEmpty(.short(.list(.text), for: "nulls", in: [])), example: "nulls: ['', 'NULL', NA]",
                "texts that, without quotes, stand for no value; `['']` by default. The first of them is written"),
            ArgumentKey("trim", .flag, example: "trim: true", "reading: blanks around fields are not part of them"),
            ArgumentKey(
                "columns", .list(.newField, isSet: true), example: "columns: [id, name]",
                "reading: the fields, where files have no header; writing: the fields that are written, in this order"),
            ArgumentKey(
                "header", .flag, example: "header: false",
                "whether files begin with a header: `true` by default, but for reading with `columns`"),
            ArgumentKey(
                "at_least", .integer(1...(1 << 15)), example: "at_least: 23",
                "reading: how many fields a record must have, where the last ones may be missing; by default all"),
            ArgumentKey(
                "types", .entries(key: .newField, value: .choice(FieldType.allCases.map(\.rawValue))),
                example: "types: {status: int, price: double}",
                "reading: what fields are; text by default"),
            ArgumentKey(
                "quoting", .choice(Quotes.allCases.map(\.rawValue)), example: "quoting: all",
                "writing: `minimal` (default): what needs quotes; `all`: every value; `nonnumeric`: every value but numbers"),
        ]),
        example: "format: {csv: {separator: ';'}}")

    var quoting = Quoting()
    var nulls = Nulls([""])
    /// As written in the definition.
    var columns: [Leaf]?
    private var types = FieldTypes()
    /// The number of fields that every record must have.
    var leastFields: Int?
    var quotes = Quotes.minimal
    /// Whether outputs begin with a header.
    var writesHeader = true
    /// The places of options that apply only to reading, or only to writing.
    var readingOptions: [(name: String, place: TextPlace)] = []
    var writingOptions: [(name: String, place: TextPlace)] = []
    /// The place of an option that leaves the fields without names: no header and no `columns`.
    var missingNames: TextPlace?
    /// The names of the fields, once they are known.
    private var names: [String]?
    /// Why the records of a file cannot be read.
    private var problem: String?

    package init() {
        quoting.hasHead = true
    }

    package init?(_ options: Arguments?, _ checking: inout Checking) {
        self.init()
        if let options, !read(options, &checking) { return nil }
    }

    package var framing: Framing { .quoted(quoting) }
    package var needsHead: Bool { names == nil }

    package var schema: Schema {
        guard let names = names ?? (problem == nil ? nil : []) else { return .open }
        return types.schema(of: names)
    }

    package func completed(by head: FileHead) -> any Format {
        var completed = self
        completed.problem = head.problem
        guard names == nil, head.problem == nil else { return completed }
        switch head.bytes.withUnsafeBufferPointer({ FieldNames.all(in: $0, quoting) }) {
        case .success(let names): completed.names = names
        case .failure(let fault): completed.problem = "the file's header cannot be read: \(fault.message)"
        }
        return completed
    }

    package func makeDecoder(columns: [String], spans: Bool) -> any RecordDecoder {
        CSVDecoder(
            quoting, nulls: nulls, names: names ?? [], leastFields: leastFields, types: types.byName, columns: columns,
            authority: self.columns == nil ? "the header has" : "'columns' has",
            problem: problem ?? (names == nil ? "the file has no header" : nil))
    }

    package func checkReading(_ checking: inout Checking) {
        for option in writingOptions {
            checking.report("csv: '\(option.name)' is for writing", at: option.place, fix: "remove it here")
        }
        if let missingNames {
            checking.report("csv: without a header the fields have no names", at: missingNames, fix: "name them: columns: [id, name]")
        }
        if let columns { types.check("csv", against: columns, &checking) }
    }
}

// Options.
extension CSV {
    /// - Returns: whether the options are valid.
    private mutating func read(_ options: Arguments, _ checking: inout Checking) -> Bool {
        let count = checking.diagnostics.count
        quoting = readQuoting(options, &checking)
        if let nulls = options["nulls"]?.leaves { self.nulls = Nulls(nulls.map(\.text)) }
        columns = options["columns"]?.leaves
        types = FieldTypes(options)
        if let quotes = options["quoting"]?.leaf.flatMap({ Quotes(rawValue: $0.text) }) { self.quotes = quotes }
        leastFields = options["at_least"]?.integer
        let header = options["header"]?.flag
        writesHeader = header ?? true
        quoting.hasHead = header ?? (columns == nil)
        quoting.fieldCount = columns?.count
        names = columns?.map(\.text)
        if header == false, columns == nil { missingNames = options["header"]?.place }
        readingOptions = ["at_least", "comment", "trim", "types"].compactMap { name in options[name].map { (name, $0.place) } }
        writingOptions = ["quoting"].compactMap { name in options[name].map { (name, $0.place) } }
        return checking.diagnostics.count == count
    }

    private func readQuoting(_ options: Arguments, _ checking: inout Checking) -> Quoting {
        let separator = character("separator", options, &checking) ?? UInt8(ascii: ",")
        let hasQuotes = options["quote"]?.leaf?.text != "none"
        let quote = hasQuotes ? character("quote", options, &checking) ?? UInt8(ascii: "\"") : nil
        let escape = character("escape", options, &checking)
        let comment = character("comment", options, &checking)
        if !hasQuotes, let place = options["escape"]?.place {
            checking.report("csv: an escape without quotes", at: place, fix: "remove it, or 'quote: none'")
        }
        var used: [UInt8: String] = [separator: "separator"]
        for (name, byte) in [("quote", quote), ("escape", escape == quote ? nil : escape), ("comment", comment)] {
            guard let byte, let other = used.updateValue(name, forKey: byte) else { continue }
            let place = (options[name] ?? options[other])?.place ?? options.place
            checking.report("csv: '\(name)' and '\(other)' are the same", at: place, fix: "give one of them another character")
        }
        return Quoting(
            separator: separator, quote: quote, escape: escape, comment: comment, trimsBlanks: options["trim"]?.flag ?? false)
    }

    private func character(_ name: String, _ options: Arguments, _ checking: inout Checking) -> UInt8? {
        guard let leaf = options[name]?.leaf, leaf.isComplete else { return nil }
        let bytes = Array(leaf.text.utf8)
        guard bytes.count == 1, bytes[0] < 0x80, bytes[0] != 0x0A, bytes[0] != 0x0D else {
            checking.report(
                "csv: '\(name)' cannot be '\(leaf.text)'", at: leaf.place,
                fix: #"write one character of ASCII, no line end; a tab is "\t""#)
            return nil
        }
        return bytes[0]
    }
}
