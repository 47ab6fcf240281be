import Sluice

/// A place that records are written to: the sink of a pipeline file, or a closure.
///
/// ```swift
/// records.writing(to: .file("out/all.csv.gz"), .database("out/all.db", table: "requests"))
/// ```
///
/// Files and databases appear when the run has succeeded, and replace existing ones.
public struct RecordOutput: Sendable {
    enum Kind: Sendable {
        case declared(any DeclaredSink.Type, argument: @Sendable (inout Script) -> Argument, options: @Sendable (inout Script) -> Arguments)
        case closure(@Sendable (Record) async throws -> Void)
    }

    let kind: Kind
    let format: RecordFormat?

    private init(
        _ sink: any DeclaredSink.Type, _ format: RecordFormat?, argument: @escaping @Sendable (inout Script) -> Argument,
        options: @escaping @Sendable (inout Script) -> [String: Argument] = { _ in [:] }
    ) {
        kind = .declared(sink, argument: argument) { script in Arguments(options(&script), at: script.place) }
        self.format = format
    }

    init(_ body: @escaping @Sendable (Record) async throws -> Void) {
        kind = .closure(body)
        format = nil
    }

    /// A file, or a file for each value that its path is made from.
    ///
    /// - Parameters:
    ///   - path: may contain expressions in braces, below a fixed folder: `out/{host}.jsonl.gz`.
    ///     `.gz` and `.zst` compress.
    ///   - format: by default determined by the name (`.log` and `.txt` are lines), else JSON
    ///     lines.
    ///   - level: the compression level, for a name that ends in `.gz` or `.zst`.
    ///   - members: how a `.gz` file is divided into gzip members; ``GzipMembers/one`` by default.
    ///   - part: divides the output into files of limited size, `name-00001.jsonl.gz` and so on.
    public static func file(
        _ path: String, format: RecordFormat? = nil, level: CompressionLevel? = nil, members: GzipMembers? = nil, part: PartLimit? = nil
    ) -> RecordOutput {
        RecordOutput(FileSink.self, format, argument: { $0.argument(path) }) { script in
            var options: [String: Argument] = [:]
            options["level"] = level.map { script.argument($0.name) }
            options["members"] = members.map { script.argument($0.rawValue) }
            options["part"] = part.map { part in
                var limits: [String: Argument] = [:]
                limits["bytes"] = part.bytes.map { .integer($0, script.place) }
                limits["records"] = part.records.map { .integer($0, script.place) }
                return .keys(Arguments(limits, at: script.place))
            }
            return options
        }
    }

    /// A table of a SQLite database, which the run makes anew. See docs/pipeline-file.md for the
    /// types of its values.
    ///
    /// - Parameter path: a plain path, of a new file or of a database with no other table.
    public static func database(_ path: String, table: String) -> RecordOutput {
        RecordOutput(SQLiteSink.self, nil, argument: { $0.argument(path) }) { ["table": $0.argument(table)] }
    }

    /// Standard output, written as records arrive.
    ///
    /// - Parameter format: by default JSON lines.
    public static func standardOutput(format: RecordFormat? = nil) -> RecordOutput {
        RecordOutput(StandardOutputSink.self, format, argument: { $0.argument("true") })
    }

    /// A closure that gets one record at a time. See ``Records/forEach(_:)``.
    public static func closure(_ body: @escaping @Sendable (Record) async throws -> Void) -> RecordOutput { RecordOutput(body) }
}
