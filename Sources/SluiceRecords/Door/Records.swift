import Sluice

/// Archives of records, what happens to each record, and where it goes: a pipeline file's work from
/// a Swift program.
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
/// A value: each method returns a longer one, and nothing is opened before
/// ``run(_:workers:state:limit:)``, which can be called any number of times. Stages made of
/// expressions run at the speed of the command; for a closure each record is taken out of its batch,
/// and decoded anew where the closure may change it, which costs several times as much.
///
/// Every record that is read is written, left out on purpose, or in the file of dead letters with
/// its own bytes, its place and the reason. Damaged archives are read as far as they can be,
/// outputs appear whole or not at all, and the bytes written are the same for any number of
/// workers, as far as the closures' answers are.
public struct Records: Sendable {
    var name = "records"
    var source: SourceDraft
    var stages: [StageDraft] = []
    var sink: SinkDraft?
    var order = SinkSettings.Order.input
    /// The file, and not one in the state folder.
    var deadLetters: String?
    var limits = Limits()

    /// Reads files, one after the other as if they were one.
    ///
    /// Whether a file is compressed is told by its first bytes. What is wrong with the patterns,
    /// the format or any expression, ``check()`` and ``run(_:workers:state:limit:)`` say.
    ///
    /// - Parameters:
    ///   - archives: paths and patterns (`*`, `?`, `[a-z]`, `{a,b}`, `**`), in the order in which
    ///     they are read, those that match a pattern in the order of their names; `-` is standard
    ///     input. Looked up when the run begins.
    ///   - onDamage: ``DamagePolicy/salvage`` puts what was lost on record in the report.
    ///   - maxRecord: bytes; a longer record is a dead letter.
    public static func reading(
        archives: [String], format: RecordFormat, onDamage: DamagePolicy = .salvage, maxRecord: Int = 16 << 20
    ) -> Records {
        precondition(maxRecord > 0, "a record has at least one byte, not \(maxRecord)")
        return Records(source: SourceDraft(archives: archives, format: format, onDamage: onDamage, maxRecord: maxRecord))
    }

    private init(source: SourceDraft) {
        self.source = source
    }

    /// Names the pipeline: for its reports, its dead letters and its state folder. `records` where
    /// it has no other.
    ///
    /// - Parameter name: letters, digits and `-`.
    public func named(_ name: String) -> Records { with { $0.name = name } }

    /// Writes the records to a file, or each to the file that its values name.
    ///
    /// Files appear under their names when the run has ended well, and not before; what stood there
    /// until then is replaced. The last sink counts.
    ///
    /// - Parameters:
    ///   - path: may have expressions in braces, after a folder of its own: `out/{host}.jsonl.gz`.
    ///     `.gz` compresses.
    ///   - format: by default as the name says (`.log` and `.txt` are lines), else JSON lines.
    ///   - level: of compression, for a name that ends in `.gz`.
    public func writing(to path: String, format: RecordFormat? = nil, level: CompressionLevel? = nil) -> Records {
        with { $0.sink = .file(path: path, format: format, level: level) }
    }

    /// Gives each record to the closure, one at a time, in the order of the input unless
    /// ``unordered()``.
    ///
    /// What it has done cannot be taken back if the run fails later. Its error ends the run. The
    /// last sink counts.
    public func forEach(_ body: @escaping @Sendable (Record) async throws -> Void) -> Records {
        with { $0.sink = .closure(body) }
    }

    /// Lets records through to the sink as they are done, in any order. Dead letters, too.
    public func unordered() -> Records { with { $0.order = .any } }

    /// Puts dead letters into this file, in place of `dead-letter.jsonl.gz` in the state folder.
    ///
    /// docs/dead-letters.md describes it. It appears with the outputs. `.gz` compresses.
    public func deadLetters(to path: String) -> Records { with { $0.deadLetters = path } }

    /// Bounds the run.
    ///
    /// - Parameters:
    ///   - deadLetters: above it the run stops and publishes nothing; nil is no limit.
    ///   - memory: bytes that batches on their way may take, at least 16 MiB.
    public func limits(deadLetters: Limits.DeadLetters? = nil, memory: Int = 512 << 20) -> Records {
        precondition(memory >= 16 << 20, "a run takes at least 16 MiB, not \(memory) bytes")
        return with { $0.limits = Limits(deadLetters: deadLetters, memory: memory) }
    }

    func with(_ change: (inout Records) -> Void) -> Records {
        var copy = self
        change(&copy)
        return copy
    }
}

/// The source, not looked up yet.
struct SourceDraft: Sendable {
    var archives: [String]
    var format: RecordFormat
    var onDamage: DamagePolicy
    var maxRecord: Int
}

/// The sink, not compiled yet.
enum SinkDraft: Sendable {
    case file(path: String, format: RecordFormat?, level: CompressionLevel?)
    case closure(@Sendable (Record) async throws -> Void)
}
