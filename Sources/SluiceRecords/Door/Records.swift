import Sluice

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
/// ``run(_:workers:state:limit:)``, which can be called any number of times. Stages made of
/// expressions run at the speed of the command. For a closure, each record is taken out of its
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
    var sink: SinkDraft?
    var order = SinkSettings.Order.input
    /// The path of the dead-letter file, if not the default in the state folder.
    var deadLetters: String?
    var limits = Limits()

    /// Reads files one after the other, as if they were concatenated.
    ///
    /// Compression is detected from a file's first bytes. Errors in the patterns, the format or
    /// expressions are reported by ``check()`` and ``run(_:workers:state:limit:)``.
    ///
    /// - Parameters:
    ///   - archives: paths and patterns (`*`, `?`, `[a-z]`, `{a,b}`, `**`) in the order of reading;
    ///     the matches of a pattern are ordered by name; `-` is standard input. Patterns are
    ///     expanded when the run begins.
    ///   - unpacking: how the archives contain files; `nil`: each is a file of records itself.
    ///   - onDamage: ``DamagePolicy/salvage`` records losses in the report.
    ///   - maxRecord: in bytes; a longer record becomes a dead letter.
    ///   - lines: which lines are joined to one record before the format reads it.
    ///   - year: the year of the first time that has none, which syslog's may; it is counted on from
    ///     there. By default such times are text.
    ///   - zone: the offset from UTC of times that have none: `+02:00`. UTC by default.
    public static func reading(
        archives: [String], format: RecordFormat, unpacking: ArchiveFormat? = nil, onDamage: DamagePolicy = .salvage, maxRecord: Int = 16 << 20,
        lines: JoinedLines? = nil,
        year: Int? = nil, zone: String? = nil
    ) -> Records {
        precondition(maxRecord > 0, "the maximum length of a record must be positive, not \(maxRecord)")
        return Records(
            source: SourceDraft(
                archives: archives, format: format, unpacking: unpacking, onDamage: onDamage, maxRecord: maxRecord, lines: lines, year: year, zone: zone))
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
    /// Files appear when the run has succeeded, and replace existing ones. A later sink replaces an
    /// earlier one.
    ///
    /// - Parameters:
    ///   - path: may contain expressions in braces, below a fixed folder: `out/{host}.jsonl.gz`.
    ///     `.gz` compresses.
    ///   - format: by default determined by the name (`.log` and `.txt` are lines), else JSON
    ///     lines.
    ///   - level: the compression level, for a name that ends in `.gz`.
    public func writing(to path: String, format: RecordFormat? = nil, level: CompressionLevel? = nil) -> Records {
        with { $0.sink = .file(path: path, format: format, level: level) }
    }

    /// Passes each record to the closure, one at a time, in input order unless ``unordered()``.
    ///
    /// What the closure has done cannot be undone if the run fails later. An error that it throws
    /// ends the run. A later sink replaces an earlier one.
    public func forEach(_ body: @escaping @Sendable (Record) async throws -> Void) -> Records {
        with { $0.sink = .closure(body) }
    }

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
    var archives: [String]
    var format: RecordFormat
    var unpacking: ArchiveFormat?
    var onDamage: DamagePolicy
    var maxRecord: Int
    var lines: JoinedLines?
    var year: Int?
    var zone: String?
}

/// A sink that is not compiled yet.
enum SinkDraft: Sendable {
    case file(path: String, format: RecordFormat?, level: CompressionLevel?)
    case closure(@Sendable (Record) async throws -> Void)
}
