public import Sluice
public import SluiceCEL

/// Archives of records, the processing of each record, and its destination: what a pipeline file
/// describes, for Swift programs.
///
/// ```swift
/// let report = try await Records.reading(archives: ["logs/*.log.gz"], format: .combined)
///     .keep("status >= 500")
///     .set(["section": "path.split('/')[1]"])
///     .update("score", concurrency: 4) { record in record["score"] = try await score(record) }
///     .select(["time", "status", "section", "score"])
///     .writing(to: "out/date={string(time).substring(0, 10)}/errors.jsonl.gz")
///     .run()
/// ```
///
/// A value: each method returns an extended copy, and no file is opened before
/// ``run(_:workers:state:limit:restarting:)``, which can be called any number of times. Stages made
/// of expressions run at the speed of the command. For a closure, each record is taken out of its
/// batch and, if the closure may change it, decoded again, which costs several times as much.
///
/// Every record that is read is written, left out on purpose, or put in the dead-letter file with
/// its own bytes, its position and the reason. Damaged archives are read as far as possible,
/// outputs appear complete or not at all, and the written bytes are the same for any number of
/// workers, provided that the closures are deterministic.
public struct Records: Sendable {
    var name = "records"
    var source: SourceDraft
    var stages: [StageDraft] = []
    /// Where the records go; empty if they go to routes.
    var outputs: [RecordOutput] = []
    var division: RouteDivision?
    var order = SinkSettings.Order.input
    /// Whether these are the records of a route, which have no source of their own.
    private(set) var areOfRoute = false
    /// The path of the dead-letter file, if not the default in the state folder.
    var deadLetters: String?
    var limits = Limits()
    /// `params`, for expressions.
    var parameters: [(name: String, value: Value)] = []

    /// Reads files one after the other, as if they were concatenated.
    ///
    /// Compression is detected from a file's first bytes. Errors in the patterns, the format or
    /// expressions are reported by ``check()`` and ``run(_:workers:state:limit:restarting:)``.
    ///
    /// - Parameters:
    ///   - archives: paths and patterns (`*`, `?`, `[a-z]`, `{a,b}`, `**`) in the order of reading;
    ///     the matches of a pattern are ordered by name; `-` is standard input. Patterns are
    ///     expanded when the run begins.
    ///   - unpacking: how the archives contain files; `nil`: each is a file of records itself.
    ///   - excluded: paths and patterns of files to leave out, also of files in archives.
    ///   - onlyNew: whether to leave out files that an earlier, successful run with the same state
    ///     folder has read.
    ///   - encoding: the character encoding; offsets in the text refer to its UTF-8.
    ///   - onDamage: ``DamagePolicy/salvage`` records losses in the report.
    ///   - maxRecord: in bytes; a longer record becomes a dead letter.
    ///   - lines: which lines are joined to one record before the format reads it.
    ///   - year: the year of the first time that has none, which syslog's may; it is counted on
    ///     from there. By default such times are text.
    ///   - zone: the offset from UTC of times that have none: `+02:00`. UTC by default.
    public static func reading(
        archives: [String], format: RecordFormat, unpacking: ArchiveFormat? = nil, excluding excluded: [String] = [], onlyNew: Bool = false,
        encoding: TextEncoding = .utf8, onDamage: DamagePolicy = .salvage, maxRecord: Int = 16 << 20, lines: JoinedLines? = nil,
        year: Int? = nil, zone: String? = nil
    ) -> Records {
        precondition(maxRecord > 0, "the maximum length of a record must be positive, not \(maxRecord)")
        return Records(
            source: SourceDraft(
                archives: .patterns(archives), format: format, unpacking: unpacking, excluded: excluded, isOnlyNew: onlyNew, encoding: encoding,
                onDamage: onDamage, maxRecord: maxRecord, lines: lines, year: year, zone: zone))
    }

    /// Reads the files whose paths are listed in a file, one path per line or separated by NULs.
    /// Paths are literal: `*` is an asterisk. Otherwise like `reading(archives:format:…)`.
    ///
    /// - Parameter list: the path of the list, which is read when the run begins; `-` is standard
    ///   input.
    public static func reading(
        archivesListedIn list: String, format: RecordFormat, unpacking: ArchiveFormat? = nil, excluding excluded: [String] = [],
        onlyNew: Bool = false, encoding: TextEncoding = .utf8, onDamage: DamagePolicy = .salvage, maxRecord: Int = 16 << 20,
        lines: JoinedLines? = nil, year: Int? = nil, zone: String? = nil
    ) -> Records {
        var records = reading(
            archives: [], format: format, unpacking: unpacking, excluding: excluded, onlyNew: onlyNew, encoding: encoding, onDamage: onDamage,
            maxRecord: maxRecord, lines: lines, year: year, zone: zone)
        records.source.archives = .list(list)
        return records
    }

    /// The records that a route takes, before its stages.
    static var ofRoute: Records {
        var records = reading(archives: [], format: .jsonl)
        records.areOfRoute = true
        return records
    }

    private init(source: SourceDraft) {
        self.source = source
    }

    /// Names the pipeline, for its reports, dead letters and state folder. The default is
    /// `records`.
    ///
    /// - Parameter name: letters, digits and `-`.
    public func named(_ name: String) -> Records { with { $0.name = name } }

    /// Writes the records to a file, or each record to a file named by its values.
    ///
    /// Files appear when the run has succeeded, and replace existing ones. A later output replaces
    /// an earlier one.
    ///
    /// - Parameters:
    ///   - path: may contain expressions in braces, below a fixed folder: `out/{host}.jsonl.gz`.
    ///     `.gz` and `.zst` compress.
    ///   - format: by default determined by the name (`.log` and `.txt` are lines), else JSON
    ///     lines.
    ///   - level: the compression level, for a name that ends in `.gz` or `.zst`.
    ///   - part: divides the output into files of limited size, `name-00001.jsonl.gz` and so on.
    public func writing(to path: String, format: RecordFormat? = nil, level: CompressionLevel? = nil, part: PartLimit? = nil) -> Records {
        writing(to: .file(path, format: format, level: level, part: part))
    }

    /// Writes the records to each of these outputs. Later outputs replace earlier ones.
    public func writing(to outputs: RecordOutput...) -> Records {
        with {
            $0.outputs = outputs
            $0.division = nil
        }
    }

    /// Passes each record to the closure, one at a time, in input order unless ``unordered()``.
    ///
    /// What the closure has done cannot be undone if the run fails later. An error that it throws
    /// ends the run. A later output replaces an earlier one.
    public func forEach(_ body: @escaping @Sendable (Record) async throws -> Void) -> Records { writing(to: .closure(body)) }

    /// Passes records to the sink, and dead letters to their file, in the order in which they are
    /// done.
    public func unordered() -> Records { with { $0.order = .any } }

    /// Writes dead letters to this file instead of `dead-letter.jsonl.gz` in the state folder.
    ///
    /// See docs/dead-letters.md. The file appears with the outputs. `.gz` compresses.
    public func deadLetters(to path: String) -> Records { with { $0.deadLetters = path } }

    /// Sets limits of the run.
    ///
    /// - Parameters:
    ///   - deadLetters: if exceeded, the run stops and publishes nothing; `nil` for no limit.
    ///   - memory: the memory, in bytes, that batches in flight may take; at least 16 MiB.
    public func limits(deadLetters: Limits.DeadLetters? = nil, memory: Int = 512 << 20) -> Records {
        precondition(memory >= 16 << 20, "a run needs at least 16 MiB, not \(memory) bytes")
        return with { $0.limits = Limits(deadLetters: deadLetters, memory: memory) }
    }

    /// Makes values available to all expressions, as `params.NAME`, whatever text is in them.
    ///
    /// ```swift
    /// records.parameters(["least": .int(500)]).keep("status >= params.least")
    /// ```
    public func parameters(_ values: KeyValuePairs<String, Value>) -> Records {
        with { $0.parameters = values.map { (name: $0.key, value: $0.value) } }
    }

    /// Sets how the stage that was added last is executed. Nothing here changes what is written,
    /// but a record that exceeds `timeout` fails.
    ///
    /// - Parameters:
    ///   - workers: how many batches the stage processes at once.
    ///   - queue: how many batches can wait for it.
    ///   - timeout: the limit for one record.
    public func pool(workers: Concurrency? = nil, queue: Int? = nil, timeout: Duration? = nil) -> Records {
        precondition(!stages.isEmpty, "there is no stage to set the pool of")
        precondition(queue.map { $0 > 0 } ?? true, "a queue needs room for at least one batch, not \(queue ?? 0)")
        return with {
            var pool = $0.stages[$0.stages.count - 1].pool
            pool.workers = workers?.range ?? pool.workers
            pool.queue = queue ?? pool.queue
            pool.timeout = timeout ?? pool.timeout
            $0.stages[$0.stages.count - 1].pool = pool
        }
    }

    func with(_ change: (inout Records) -> Void) -> Records {
        var copy = self
        change(&copy)
        return copy
    }
}

/// Lines that are joined to one record.
public enum JoinedLines: Sendable {
    /// Each line that the regular expression (RE2's syntax) matches begins a record.
    case starting(with: String)
    /// Each line that the regular expression matches belongs to the record of the line before it.
    case continuing(with: String)

    func options(_ script: inout Script) -> Arguments {
        switch self {
        case .starting(let pattern): Arguments([Multiline.Lines.starts.rawValue: script.argument(pattern)])
        case .continuing(let pattern): Arguments([Multiline.Lines.continues.rawValue: script.argument(pattern)])
        }
    }
}

/// An archive of files, which are read one by one.
public enum ArchiveFormat: String, Sendable {
    /// A tar archive, compressed or not.
    case tar
}

/// A source whose patterns are not expanded yet.
struct SourceDraft: Sendable {
    enum Archives: Sendable {
        case patterns([String])
        case list(String)
    }

    var archives: Archives
    var format: RecordFormat
    var unpacking: ArchiveFormat?
    var excluded: [String]
    var isOnlyNew: Bool
    var encoding: TextEncoding
    var onDamage: DamagePolicy
    var maxRecord: Int
    var lines: JoinedLines?
    var year: Int?
    var zone: String?

    /// The options of the source, as in a pipeline file.
    func options(_ script: inout Script) -> Arguments {
        var options: [String: Argument] = [:]
        if !excluded.isEmpty { options[FileChoice.exclude] = script.argument(excluded) }
        if isOnlyNew { options[FileChoice.newOnly] = .flag(true, script.place) }
        return Arguments(options, at: script.place)
    }
}
