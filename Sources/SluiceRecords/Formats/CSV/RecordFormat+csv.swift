extension RecordFormat {
    /// Delimited fields, optionally quoted. See docs/formats.md.
    ///
    /// - Parameters:
    ///   - separator: one ASCII character.
    ///   - quote: one ASCII character; `nil`: no field is quoted.
    ///   - escape: the character that escapes a quote within a quoted field; by default quotes are
    ///     doubled.
    ///   - comment: when reading, lines that begin with it are skipped.
    ///   - columns: when reading, the fields of files without a header; when writing, the fields to
    ///     write, in order.
    ///   - hasHeader: whether each file begins with a header; by default if no columns are given.
    ///   - nulls: texts that, unquoted, stand for no value. The first of them is written.
    ///   - trimsBlanks: when reading, whether to remove blanks around fields.
    ///   - leastFields: when reading, how many fields a record must have; by default all.
    ///   - types: when reading, the types of fields that are not text.
    ///   - quoting: when writing, which values to quote.
    public static func csv(
        separator: Character = ",", quote: Character? = "\"", escape: Character? = nil, comment: Character? = nil, columns: [String]? = nil,
        hasHeader: Bool? = nil, nulls: [String] = [""], trimsBlanks: Bool = false, leastFields: Int? = nil, types: ColumnTypes? = nil,
        quoting: QuotedValues? = nil
    ) -> RecordFormat {
        RecordFormat(CSV.self) { script in
            var options = ["separator": script.argument(String(separator)), "nulls": script.argument(nulls)]
            if quote != "\"" { options["quote"] = script.argument(quote.map { String($0) } ?? "none") }
            options["escape"] = escape.map { script.argument(String($0)) }
            options["comment"] = comment.map { script.argument(String($0)) }
            options["columns"] = columns.map { script.argument($0) }
            options["header"] = hasHeader.map { .flag($0, script.place) }
            if trimsBlanks { options["trim"] = .flag(true, script.place) }
            options["at_least"] = leastFields.map { .integer($0, script.place) }
            options["types"] = types.map { $0.argument(&script) }
            options["quoting"] = quoting.map { script.argument($0.rawValue) }
            return options
        }
    }

    /// Which values to write in quotes.
    public enum QuotedValues: String, Sendable {
        /// Those that need it.
        case minimal
        case all
        /// All but numbers.
        case nonnumeric
    }
}

/// The types of fields that are read as text by default.
///
/// ```swift
/// .csv(types: ["status": "int", "seconds": "double"])
/// .csv(types: .inferred)
/// ```
///
/// The types are `int`, `double`, `bool` and `timestamp`. A value of another type makes its record
/// a dead letter.
public enum ColumnTypes: Sendable, ExpressibleByDictionaryLiteral {
    /// Those of the first records of the first input. The report says which these are.
    case inferred
    /// By field; all others are text.
    case given([(field: String, type: String)])

    public init(dictionaryLiteral elements: (String, String)...) {
        self = .given(elements.map { (field: $0.0, type: $0.1) })
    }

    func argument(_ script: inout Script) -> Argument {
        switch self {
        case .inferred: script.argument(FieldTypes.infer)
        case .given(let types): .entries(types.map { (key: script.leaf($0.field), value: script.argument($0.type)) }, script.place)
        }
    }
}
