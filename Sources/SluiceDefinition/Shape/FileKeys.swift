internal import Sluice
internal import SluiceRecords

/// The keys of a pipeline file, other than those that verbs, formats, sources and sinks declare.
enum FileKeys {
    static let file: [FileKey] = [
        FileKey(
            "name", .argument(.name(.pipeline)), isRequired: true, example: "name: access-errors",
            "letters, digits and `-`; the state folder is called after it"),
        FileKey("description", .argument(.text), example: "description: Server errors, one JSON line each.", "for people"),
        FileKey("params", .parameters, example: "params: {logs: logs/*.gz}", "names for values, with their defaults"),
        FileKey("source", sourceShape, isRequired: true, example: "source: {\(sources[0].example), format: \(Formats.names[0])}", "what is read"),
        FileKey("stages", .list(stageShape), example: "stages: [{\(verbs[0].example)}]", "what happens to each record, in order"),
        sinkKey,
        FileKey(
            "routes", .list(.keys(route)), example: "routes: [{name: errors, when: status >= 500, sink: {\(sinks[0].example)}}]",
            "instead of `sink`: the flow divides into routes with stages and sinks of their own"),
        match,
        FileKey(
            "dead_letter", .argument(.text), example: "dead_letter: out/dead-letter.jsonl.gz",
            "the file for records that failed; by default `dead-letter.jsonl.gz` in the state folder; `.gz` compresses; always on"),
        FileKey("limits", .keys(limits.map { FileKey($0) }), example: "limits: {dead_letters: 1%}", "bounds of a run"),
        FileKey("tests", .list(.keys(test)), example: "tests: [{name: …, input: ['…'], output: []}]", "what the file does to records, for `sluice test`"),
    ]

    private static let sinkKey = FileKey(
        "sink", .oneOrMore(sinkShape), or: "routes", example: "sink: {\(sinks[0].example)}", "where records go; of a list, each sink gets them all")

    private static let match = FileKey(
        ArgumentKey(
            "match", .choice(Routes.Match.allCases.map(\.rawValue)), default: Routes.Match.first.rawValue, example: "match: all",
            "beside `routes`: `first`, the first route whose condition holds takes the record; `all`, each takes a copy"))

    /// The keys of a route.
    static let route: [FileKey] =
        innerRoute + [
            FileKey(
                "routes", .list(.keys(innerRoute)), example: "routes: [{name: slow, when: seconds > 1, sink: {\(sinks[0].example)}}]",
                "instead of `sink`: the route divides once more, and no further"),
            match,
        ]

    /// The keys of a nested route.
    static let innerRoute: [FileKey] = [
        FileKey("name", .argument(.name(.route)), isRequired: true, example: "name: errors", "unique among its neighbours"),
        FileKey(
            "when", .argument(.condition), example: "when: status >= 500",
            "the records that the route takes; by default all. A record that no route takes is filtered, one whose condition fails is a dead letter"),
        FileKey("stages", .list(stageShape), example: "stages: [{\(verbs[0].example)}]", "what happens to each of its records, in order"),
        sinkKey,
    ]

    static let source: [ArgumentKey] = [
        ArgumentKey(
            "format", .format, example: "format: \(Formats.names[0])",
            "how the records are read; may be left out for files called "
                + JSONL.fileExtensions.map { "`.\($0)`" }.joined(separator: " or ") + ", with or without `.gz`"),
        ArgumentKey(
            "on_damage", .choice(DamagePolicy.allCases.map(\.rawValue)), default: DamagePolicy.salvage.rawValue, example: "on_damage: salvage",
            "`salvage`: every whole record before the damage is delivered, reading goes on at the next gzip member, or inside one at the "
                + "next full flush (outputs of this program and of `pigz -i` have them), what was lost is in the report; "
                + "`fail`: nothing is published"),
        ArgumentKey(
            "max_record", .size(1...(1 << 30)), default: "16MiB", example: "max_record: 16MiB",
            "a longer record is a dead letter (`record.too_long`)"),
        ArgumentKey(
            "encoding", .choice(TextEncoding.allCases.map(\.rawValue)), default: TextEncoding.utf8.rawValue, example: "encoding: latin1",
            "how characters are written: of `utf-16` the file's mark says the order, without one it is little endian; half a character becomes "
                + "U+FFFD. With `utf-8` bytes stay as they are"),
    ]

    static let sink: [ArgumentKey] = [
        ArgumentKey(
            "format", .writtenFormat, example: "format: \(Formats.writableNames[0])",
            "how the records are written; by default as the file's name says, else `\(JSONL.name)`"),
        ArgumentKey(
            "order", .choice(SinkSettings.Order.allCases.map(\.rawValue)), default: SinkSettings.Order.input.rawValue, example: "order: input",
            "`input`: the output has the order of the input; `any`: as batches get ready"),
    ]

    /// The options that every stage takes next to its verb.
    static let stage: [ArgumentKey] = [
        ArgumentKey(
            "name", .name(.stage), example: "name: errors",
            "unique; by default the verb, numbered from its second time on: `\(Verbs.names[0])`, `\(Verbs.names[0])-2`"),
        workers,
        ArgumentKey("queue", .integer(1...65_536), example: "queue: 8", "batches that may wait in front of the stage; by default as its verb needs"),
        ArgumentKey("timeout", .duration, example: "timeout: 5s", "for one attempt at one record; by default none"),
        retry,
        ArgumentKey(
            "on_error", .choice(FailurePolicy.allCases.map(\.rawValue)), default: FailurePolicy.deadLetter.rawValue, example: "on_error: dead_letter",
            "what becomes of a record that fails: `dead_letter`; `drop`, it is counted as filtered; `stop`, the run fails"),
    ]

    static let workers = ArgumentKey(
        "workers",
        .short(
            .integer(workerRange), for: "max",
            in: [
                ArgumentKey("min", .integer(workerRange), default: "1", example: "min: 1", "at least so many at once"),
                ArgumentKey("max", .integer(workerRange), isRequired: true, example: "max: 8", "at most so many at once"),
            ]),
        example: "workers: {min: 1, max: 8}",
        "batches that are in the stage at once: a number, or two that the pool stays between: it doubles while more than three quarters of its "
            + "workers' worth of batches wait, and halves when none waits; by default as the verb needs")

    static let retry = ArgumentKey(
        "retry",
        .keys([
            ArgumentKey("times", .integer(0...1000), isRequired: true, example: "times: 3", "further attempts"),
            ArgumentKey(
                "backoff", .duration, default: "200ms", example: "backoff: 200ms",
                "about how long to wait before the first of them, with full jitter; each wait is twice as long as the one before"),
            ArgumentKey("max_backoff", .duration, default: "30s", example: "max_backoff: 5s", "no wait is longer"),
        ]),
        example: "retry: {times: 3, backoff: 200ms}",
        "further attempts at a record that failed, for verbs that ask others; an expression that failed would fail again, and is not tried twice")

    static let limits: [ArgumentKey] = [
        ArgumentKey(
            "dead_letters", .countOrShare, example: "dead_letters: 1%",
            "a number of records, or a share of those read; above it the run stops and publishes nothing, exit 1; by default a run may lose any number, "
                + "but not all of 100 records or more, and with `none` all"),
        ArgumentKey(
            "memory", .size((16 << 20)...(1 << 50)), default: "512MiB", example: "memory: 512MiB",
            "for batches on their way, and up to half of it for what stages keep; at least `16MiB`, and not below `max_record`"),
    ]

    static let test: [FileKey] = [
        FileKey("name", .argument(.text), isRequired: true, example: "name: probes are left out", "what the test shows"),
        FileKey(
            "input", .list(.anything), isRequired: true, example: "input: ['…']",
            "records as text, each with its line feed after it; for `\(JSONL.name)` as maps, too"),
        FileKey(
            "output", .anything, example: "output: []",
            "what must be written, in order: records as maps, or lines as text; or a map from the outputs' names to such lists; left out, it is not looked at"),
        FileKey(
            "dead_letters", .list(.keys(testDeadLetter)), example: "dead_letters: []",
            "which records must fail, in order, by the keys that are given; left out, none may"),
    ]

    static let testDeadLetter: [FileKey] = [
        FileKey("stage", .argument(.text), example: "stage: source", "the stage that refuses the record"),
        FileKey("code", .argument(.text), example: "code: parse.combined", "the code of the error"),
        FileKey("message", .argument(.text), example: "message: no such field", "what the error's message has in it"),
        FileKey("raw", .argument(.text), example: "raw: hello", "the record's own bytes"),
    ]

    /// Keys reserved for future versions.
    static let laterInSource = ["multiline"]

    static let sources = Sources.all.map { $0.declaration }
    static let sinks = Sinks.all.map { $0.declaration }
    static let verbs = Verbs.all.map { $0.declaration }

    static let sourceShape = FileShape.one(of: sources, with: source)
    static let stageShape = FileShape.one(of: verbs, with: stage)
    static let sinkShape = FileShape.one(of: sinks, with: sink)

    private static let workerRange = 1...4096
}
