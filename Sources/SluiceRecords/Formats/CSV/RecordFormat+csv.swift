extension RecordFormat {
    /// Fields between separators, in quotes where they need them. docs/formats.md.
    ///
    /// - Parameters:
    ///   - separator: one character of ASCII.
    ///   - columns: the fields, where files have no header; of a sink those that are written, in
    ///     order.
    ///   - hasHeader: whether each file begins with a header; by default where no columns are
    ///     named.
    ///   - nulls: texts that, without quotes, stand for no value. The first of them is written.
    public static func csv(
        separator: Character = ",", columns: [String]? = nil, hasHeader: Bool? = nil, nulls: [String] = [""]
    ) -> RecordFormat {
        RecordFormat(CSV.self) { script in
            var options = ["separator": script.argument(String(separator)), "nulls": script.argument(nulls)]
            options["columns"] = columns.map { script.argument($0) }
            options["header"] = hasHeader.map { .flag($0, script.place) }
            return options
        }
    }
}
