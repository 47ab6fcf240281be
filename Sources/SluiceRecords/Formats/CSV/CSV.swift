import SluiceCEL

/// `csv`: delimited fields, optionally quoted (RFC 4180 and its common variants).
package struct CSV: HeadedFormat {
    enum Quotes: String, CaseIterable, Sendable {
        case minimal, all, nonnumeric
    }

    package static let declaration = Declaration(
        "csv", "comma-separated values, or with another separator; each file has a header",
        argument: .keys([
            ArgumentKey("separator", .text, example: "separator: ';'", "one ASCII character; `,` by default"),
            ArgumentKey("quote", .text, example: #"quote: "'""#, "one ASCII character, or `none`; `\"` by default"),
            ArgumentKey(
                "escape", .text, example: #"escape: '\'"#, "the character that escapes a quote within a quoted field; by default quotes are doubled"),
            ArgumentKey("comment", .text, example: "comment: '#'", "reading: lines that begin with it are skipped"),
            ArgumentKey(
                "nulls", .possiblyEmpty(.short(.list(.text), for: "nulls", in: [])), example: "nulls: ['', 'NULL', NA]",
                "unquoted texts that stand for a missing value; `['']` by default. Writing uses the first"),
            ArgumentKey("trim", .flag, example: "trim: true", "reading: remove blanks around fields"),
            FieldOptions.columnsKey, FieldOptions.headerKey, FieldOptions.leastKey, FieldOptions.typesKey,
            ArgumentKey(
                "quoting", .choice(Quotes.allCases.map(\.rawValue)), example: "quoting: all",
                "writing: which values to quote: `minimal` (default), those that need it; `all`; `nonnumeric`, all but numbers"),
        ]),
        example: "format: {csv: {separator: ';'}}")

    var quoting = Quoting()
    var nulls = Nulls([""])
    private var fields = FieldOptions()
    var quotes = Quotes.minimal
    /// The places of options that apply only to reading, or only to writing.
    var readingOptions: [(name: String, place: TextPlace)] = []
    var writingOptions: [(name: String, place: TextPlace)] = []

    var columns: [Leaf]? { fields.columns }
    var writesHeader: Bool { fields.writesHeader }

    package init() {
        quoting.hasHead = true
    }

    package init?(_ options: Arguments?, _ checking: inout Checking) {
        self.init()
        if let options, !read(options, &checking) { return nil }
    }

    package var framing: Framing { .quoted(quoting) }
    package var needsHead: Bool { fields.needsHead }
    package var schema: Schema { fields.schema }

    package func completed(by head: FileHead) -> any Format {
        var completed = self
        completed.fields.complete(by: head) {
            head.bytes.withUnsafeBufferPointer { FieldNames.all(in: $0, quoting) }
                .mapError { FieldNames.Fault(message: "the file's header cannot be read: \($0.message)") }
        }
        return completed
    }

    package func makeDecoder(columns: [String], spans: Bool) -> any RecordDecoder {
        CSVDecoder(quoting, nulls: nulls, fields.layout(CSVDecoder.failureCode, columns: columns))
    }

    package func checkReading(_ checking: inout Checking) {
        for option in writingOptions {
            checking.report("csv: '\(option.name)' is only for writing", at: option.place, fix: "remove it")
        }
        fields.checkReading("csv", &checking)
    }
}

extension CSV: NullingFormat {
    static var defaultNulls: [String] { [""] }
}

extension CSV: InferringFormat {
    package var infersTypes: Bool { fields.infersTypes }
    package var typedFields: [String] { fields.typedFields }

    package func inferring(from sample: Batch) -> (format: any Format, types: [InferredField]) {
        let types = FieldInference.types(in: sample, sample.head.map(completed) ?? self)
        var format = self
        format.fields.take(types)
        return (format, types)
    }
}

// Options.
extension CSV {
    /// - Returns: whether the options are valid.
    private mutating func read(_ options: Arguments, _ checking: inout Checking) -> Bool {
        let count = checking.diagnostics.count
        quoting = readQuoting(options, &checking)
        if let nulls = options["nulls"]?.leaves { self.nulls = Nulls(nulls.map(\.text)) }
        fields = FieldOptions(options)
        if let quotes = options["quoting"]?.leaf.flatMap({ Quotes(rawValue: $0.text) }) { self.quotes = quotes }
        quoting.hasHead = fields.hasHead
        quoting.fieldCount = columns?.count
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
            checking.report("csv: 'escape' has no effect without quotes", at: place, fix: "remove it, or 'quote: none'")
        }
        var used: [UInt8: String] = [separator: "separator"]
        for (name, byte) in [("quote", quote), ("escape", escape == quote ? nil : escape), ("comment", comment)] {
            guard let byte, let other = used.updateValue(name, forKey: byte) else { continue }
            let place = (options[name] ?? options[other])?.place ?? options.place
            checking.report("csv: '\(name)' and '\(other)' are the same", at: place, fix: "use another character for one of them")
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
                fix: #"write one ASCII character other than a line end; a tab is "\t""#)
            return nil
        }
        return bytes[0]
    }
}
