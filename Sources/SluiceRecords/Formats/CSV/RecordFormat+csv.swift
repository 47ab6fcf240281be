extension RecordFormat {
    /// Delimited fields, optionally quoted. See docs/formats.md.
    ///
    /// - Parameters:
    ///   - separator: one ASCII character.
    ///   - columns: when reading, the fields of files without a header; when writing, the fields to
    ///     write, in order.
    ///   - hasHeader: whether each file begins with a header; by default if no columns are given.
    ///   - nulls: texts that, unquoted, stand for no value. The first of them is written.
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
