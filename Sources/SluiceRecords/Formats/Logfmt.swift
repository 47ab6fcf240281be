import SluiceCEL

/// `logfmt`: keys and values as `key=value`, between blanks.
package struct Logfmt: WritableFormat {
    package static let declaration = Declaration(
        "logfmt", "`key=value` pairs, separated by blanks",
        argument: .keys([
            ArgumentKey(
                "types", .entries(key: .newField, value: .choice(FieldType.choices.map(\.rawValue))), example: "types: {ms: int, at: timestamp}",
                "reading: the types of fields; by default text")
        ]),
        example: "format: logfmt")
    package static let fileExtensions = [Logfmt.name]

    private var types = LogfmtTypes()
    private var typesPlace: TextPlace?

    package init() {}

    package init?(_ options: Arguments?, _ checking: inout Checking) {
        guard let options, let types = options["types"] else { return }
        self.types = LogfmtTypes(FieldTypes(options))
        typesPlace = types.place
    }

    package var schema: Schema { .open }

    package func makeDecoder(columns: [String], spans: Bool) -> any RecordDecoder {
        let decoder = RewritingDecoder(LogfmtRewriter(types: types), columns: columns, spans: spans)
        let typed = types.columns(among: columns)
        return typed.isEmpty ? decoder : LogfmtDecoder(decoder: decoder, typed: typed)
    }

    package func checkWriting(_ checking: inout Checking, at place: TextPlace, areOwn: Bool) {
        if let typesPlace { checking.report("\(name): 'types' is only for reading", at: typesPlace, fix: "remove it") }
        for name in checking.fields.names {
            guard let reason = name.withBytes(LogfmtText.refusal) else { continue }
            checking.report("\(self.name) cannot hold the field '\(name)': \(reason)", at: place, fix: "rename it, or remove it")
        }
    }

    package func makeWriter(for fields: RecordFields, columns: [String]?) -> any RecordWriter {
        LogfmtWriter(fields: fields)
    }
}

extension String {
    fileprivate func withBytes<Result>(_ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        var text = self
        return text.withUTF8(body)
    }
}

extension RecordFormat {
    /// `key=value` pairs between blanks.
    public static let logfmt = RecordFormat(Logfmt.self)

    /// `key=value` pairs between blanks, for reading.
    ///
    /// - Parameter types: the types of fields that are not text: `int`, `double`, `bool` or
    ///   `timestamp`. A value of another type makes its record a dead letter.
    public static func logfmt(types: KeyValuePairs<String, String>) -> RecordFormat {
        RecordFormat(Logfmt.self) { script in ["types": script.argument(types)] }
    }
}
