internal import Sluice
internal import SluiceRecords

/// The keys of a pipeline file, other than those that verbs, formats, sources and sinks declare.
enum FileKeys {
    static let file: [FileKey] = [
        FileKey(
            "name", .argument(.name(.pipeline)), isRequired: true, example: "name: access-errors",
            "letters, digits and `-`; the state folder is named after it"),
        FileKey("description", .argument(.text), example: "description: Server errors, one JSON line each.", "a description for readers of the file"),
        FileKey("params", .parameters, example: "params: {logs: logs/*.gz}", "named values, with their defaults"),
        FileKey("source", sourceShape, isRequired: true, example: "source: {\(sources[0].example), format: \(Formats.names[0])}", "what is read"),
        FileKey("stages", .list(stageShape), example: "stages: [{\(verbs[0].example)}]", "what happens to each record, in order"),
        sinkKey,
        FileKey(
            "routes", .list(.keys(route)), example: "routes: [{name: errors, when: status >= 500, sink: {\(sinks[0].example)}}]",
            "instead of `sink`: routes that divide the flow, each with its own stages and sink"),
        match,
        FileKey(
            "dead_letter", .argument(.text), example: "dead_letter: out/dead-letter.jsonl.gz",
            "the file for failed records, by default `dead-letter.jsonl.gz` in the state folder; compressed if its name ends in `.gz`; always written"),
        FileKey("limits", .keys(limits.map { FileKey($0) }), example: "limits: {dead_letters: 1%}", "limits of a run"),
        FileKey("tests", .list(.keys(test)), example: "tests: [{name: …, input: ['…'], output: []}]", "tests of the file, for `sluice test`"),
    ]

    private static let sinkKey = FileKey(
        "sink", .oneOrMore(sinkShape), or: "routes", example: "sink: {\(sinks[0].example)}", "where records go; each sink of a list gets all of them")

    private static let match = FileKey(
        ArgumentKey(
            "match", .choice(Routes.Match.allCases.map(\.rawValue)), default: Routes.Match.first.rawValue, example: "match: all",
            "with `routes`: `first`, the record goes to the first route whose condition holds; `all`, every such route gets a copy"))

    /// The keys of a route.
    static let route: [FileKey] =
        innerRoute + [
            FileKey(
                "routes", .list(.keys(innerRoute)), example: "routes: [{name: slow, when: seconds > 1, sink: {\(sinks[0].example)}}]",
                "instead of `sink`: divides the route once more, but no further"),
            match,
        ]

    /// The keys of a nested route.
    static let innerRoute: [FileKey] = [
        FileKey("name", .argument(.name(.route)), isRequired: true, example: "name: errors", "unique among the routes next to it"),
        FileKey(
            "when", .argument(.condition), example: "when: status >= 500",
            "which records the route takes; by default all. A record that no route takes is filtered; if evaluating the condition fails, the record is a dead letter"
        ),
        FileKey("stages", .list(stageShape), example: "stages: [{\(verbs[0].example)}]", "what happens to each of its records, in order"),
        sinkKey,
    ]

    static let source: [ArgumentKey] = [
        ArgumentKey(
            "format", .format, example: "format: \(Formats.names[0])",
            "how the records are read; optional for files named "
                + JSONL.fileExtensions.map { "`.\($0)`" }.joined(separator: " or ") + ", with or without `.gz`"),
        ArgumentKey(
            "on_damage", .choice(DamagePolicy.allCases.map(\.rawValue)), default: DamagePolicy.salvage.rawValue, example: "on_damage: salvage",
            "`salvage`: every complete record before the damage is delivered, and reading resumes at the next gzip member or, within a member, at the "
                + "next full flush (Sluice and `pigz -i` write them); the report says what was lost. "
                + "`fail`: nothing is published. `set_aside`: like `salvage`, but the records of a member that is damaged or fails its check are "
                + "dead letters (`record.suspect`); every input is decompressed twice, so it must be a file"),
        ArgumentKey(
            "max_record", .size(1...(1 << 30)), default: "16MiB", example: "max_record: 16MiB",
            "the maximum length; a longer record is a dead letter (`record.too_long`), with only its first 64 KiB if it is longer than 64 MiB"),
        ArgumentKey(
            "encoding", .choice(TextEncoding.allCases.map(\.rawValue)), default: TextEncoding.utf8.rawValue, example: "encoding: latin1",
            "the character encoding. The byte order of `utf-16` is that of the byte order mark, else little endian; an unpaired surrogate becomes "
                + "U+FFFD. With `utf-8`, bytes are left as they are"),
        ArgumentKey(
            "archive", .choice(Archive.Kind.allCases.map(\.rawValue)), example: "archive: tar",
            "what the files are archives of: the files in each `tar` archive, compressed or not, are read one by one as if they were unpacked, and "
                + "`source.file` is like `logs.tar.gz/dir/access.log`. By default an archive is refused"),
        ArgumentKey(
            "multiline",
            .keys([
                ArgumentKey("starts", .text, example: "starts: '^[0-9]{4}-'", "matches the first line of every record, and no other line"),
                ArgumentKey("continues", .text, example: #"continues: '^\s'"#, "matches every line that belongs to the record of the line before it"),
            ]), example: "multiline: {starts: '^[0-9]{4}-'}",
            "joins lines to one record before the format reads it, never across files: one of two regular expressions, which match anywhere in a line"
        ),
        ArgumentKey(
            "year", .integer(1...9999), example: "year: 2026",
            "the year of the first time without one; it is counted on from there, over all files in order. By default such times are text"),
        ArgumentKey("zone", .text, example: "zone: '+02:00'", "the offset from UTC of times without one: `+02:00`, `-0500`, `Z`; by default UTC"),
    ]

    static let sink: [ArgumentKey] = [
        ArgumentKey(
            "format", .writtenFormat, example: "format: \(Formats.writableNames[0])",
            "how the records are written; by default derived from the file's name, else `\(JSONL.name)`"),
        ArgumentKey(
            "order", .choice(SinkSettings.Order.allCases.map(\.rawValue)), default: SinkSettings.Order.input.rawValue, example: "order: input",
            "`input`: in input order; `any`: in the order in which batches are finished"),
    ]

    /// The options that every stage takes next to its verb.
    static let stage: [ArgumentKey] = [
        ArgumentKey(
            "name", .name(.stage), example: "name: errors",
            "unique; by default the verb, with a number from the second use on: `\(Verbs.names[0])`, `\(Verbs.names[0])-2`"),
        workers,
        ArgumentKey("queue", .integer(1...65_536), example: "queue: 8", "how many batches can wait for the stage; the default depends on the verb"),
        ArgumentKey("timeout", .duration, example: "timeout: 5s", "the time limit for one attempt at one record; by default none"),
        retry,
        ArgumentKey(
            "on_error", .choice(FailurePolicy.allCases.map(\.rawValue)), default: FailurePolicy.deadLetter.rawValue, example: "on_error: dead_letter",
            "what happens to a record that fails: `dead_letter`, it becomes a dead letter; `drop`, it counts as filtered; `stop`, the run fails"),
    ]

    static let workers = ArgumentKey(
        "workers",
        .short(
            .integer(workerRange), for: "max",
            in: [
                ArgumentKey("min", .integer(workerRange), default: "1", example: "min: 1", "the minimum"),
                ArgumentKey("max", .integer(workerRange), isRequired: true, example: "max: 8", "the maximum"),
            ]),
        example: "workers: {min: 1, max: 8}",
        "how many batches the stage processes concurrently: a number, or a range; then the pool doubles while more batches are waiting than three "
            + "quarters of its workers, and halves when none are. The default depends on the verb")

    static let retry = ArgumentKey(
        "retry",
        .keys([
            ArgumentKey("times", .integer(0...1000), isRequired: true, example: "times: 3", "further attempts"),
            ArgumentKey(
                "backoff", .duration, default: "200ms", example: "backoff: 200ms",
                "the upper bound of the wait before the first of them, doubled for each further one; the actual wait is random (full jitter)"),
            ArgumentKey("max_backoff", .duration, default: "30s", example: "max_backoff: 5s", "the longest wait"),
        ]),
        example: "retry: {times: 3, backoff: 200ms}",
        "further attempts at a record that failed, for verbs that call other programs; an expression that failed would fail again, so it is not retried")

    static let limits: [ArgumentKey] = [
        ArgumentKey(
            "dead_letters", .countOrShare, example: "dead_letters: 1%",
            "a number of records, or a share of those read; above it, the run stops and publishes nothing (exit 1). By default any number may fail, "
                + "but not all of 100 records or more; with `none`, even all"),
        ArgumentKey(
            "memory", .size((16 << 20)...(1 << 50)), default: "512MiB", example: "memory: 512MiB",
            "for batches in flight; up to half of it for the state of stages; at least `16MiB`, and at least `max_record`"),
    ]

    static let test: [FileKey] = [
        FileKey("name", .argument(.text), isRequired: true, example: "name: probes are filtered", "what the test shows"),
        FileKey(
            "input", .list(.anything), isRequired: true, example: "input: ['…']",
            "records as text, without the line feed; for `\(JSONL.name)` also as maps"),
        FileKey(
            "output", .anything, example: "output: []",
            "what must be written, in order: records as maps, or lines as text; or a map from the names of outputs to such lists; not compared if absent"),
        FileKey(
            "dead_letters", .list(.keys(testDeadLetter)), example: "dead_letters: []",
            "which records must fail, in order; only the given keys are compared; if absent, none may fail"),
    ]

    static let testDeadLetter: [FileKey] = [
        FileKey("stage", .argument(.text), example: "stage: source", "the stage that refuses the record"),
        FileKey("code", .argument(.text), example: "code: parse.combined", "the code of the error"),
        FileKey("message", .argument(.text), example: "message: no such field", "text that the error message contains"),
        FileKey("raw", .argument(.text), example: "raw: hello", "the record's original bytes"),
    ]

    static let sources = Sources.all.map { $0.declaration }
    static let sinks = Sinks.all.map { $0.declaration }
    static let verbs = Verbs.all.map { $0.declaration }

    static let sourceShape = FileShape.one(of: sources, with: source)
    static let stageShape = FileShape.one(of: verbs, with: stage)
    static let sinkShape = FileShape.one(of: sinks, with: sink)

    private static let workerRange = 1...4096
}
