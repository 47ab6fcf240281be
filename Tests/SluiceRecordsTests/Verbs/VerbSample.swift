import Foundation
import SluiceCEL
import Testing

@testable import SluiceRecords

/// A verb as written in a pipeline file, for the contract suite. Every verb in the table has one.
struct VerbSample: Sendable, CustomTestStringConvertible {
    let verb: any Verb.Type
    let argument: Argument

    var testDescription: String { verb.declaration.name }

    static let all: [VerbSample] = Verbs.all.compactMap { verb in
        arguments[verb.declaration.name].map { VerbSample(verb: verb, argument: $0) }
    }

    /// The records have the fields `n`, `items` and `text`, each possibly missing or of another
    /// type.
    private static let arguments: [String: Argument] = [
        "keep": text("10 / n > 1"),
        "drop": text("10 / n > 1"),
        "set": entries([("m", text("10 / n")), ("n", text("n + m"))]),
        "select": list("n", "items"),
        "remove": list("items"),
        "rename": entries([("n", text("text"))]),
        "parse": keys(["field": text("text"), "format": .format(FormatArgument(name: Leaf("jsonl"), declaration: JSONL.declaration))]),
        "explode": keys(["field": text("items"), "keep": list("n")]),
        "dedupe": keys(["by": list("10 / n", "record.?text"), "within": .integer(6, place)]),
        "sample": keys(["share": text("0.6"), "by": list("n + 1")]),
        "redact": keys(["pattern": text("no|none|p"), "with": text("hash"), "key": text("a secret")]),
        "lookup": keys([
            "file": text(table), "key": text("10 / n"), "column": keys(["value": text("key")]), "select": list("text", "m"), "missing": text("dead_letter"),
        ]),
        "throttle": keys(["records": .integer(1_000_000_000, place), "per": .duration(.nanoseconds(1_000_000), place)]),
        "head": .integer(70, place),
        "sort": keys(["by": .list([keys(["desc": text("n")]), keys(["asc": text("record.?text.orValue('none')")])], place), "limit": .integer(150, place)]),
        "summarize": keys([
            "by": entries([("k", text("n % 3")), ("t", text("record.?text"))]),
            "values": entries([
                ("records", text("count()")), ("total", text("sum(10 / n)")), ("halves", text("sum(n / 4.0)")), ("middle", text("mean(n)")),
                ("least", text("min(record.?text)")), ("greatest", text("max(n)")), ("median", text("p50(n)")), ("high", text("quantile(n, 0.9)")),
                ("kinds", text("distinct(record.?items)")), ("first", text("first(record.?items)")), ("last", text("last(record.?text)")),
                ("often", text("top(record.?items, 2)")),
            ]),
        ]),
        "exec": list("/bin/cat"),
        "http": keys([
            "url": text("\(server)/{10 / n}?text={record.?text.orValue('none')}"), "headers": entries([("x-items", text("{record.?items.hasValue()}"))]),
            "as": keys(["json": text("m"), "status": text("items")]), "accept": .list([.integer(404, place)], place),
        ]),
    ]

    /// The server for `http`, which answers with what it was asked, and with every kind of failure.
    private static let server: String = {
        let server = try? LocalServer { request in
            switch request.target.dropFirst().prefix(1) {
            case "5": .text("\"\(request.target) \(request.headers["x-items"] ?? "")\"", status: 404)
            case "-": .text("no", status: 400)
            case "1" where request.target.hasSuffix("none"): .text("not JSON")
            default: .text("[\"\(request.target)\", \(request.headers["x-items"] ?? "0")]")
            }
        }
        return server?.url ?? "http://no-server.invalid"
    }()

    /// The table for `lookup`.
    private static let table: String = {
        let path = NSTemporaryDirectory() + "sluice-lookup-sample-\(UUID().uuidString).jsonl"
        let rows = #"{"key":10,"m":1,"text":"ten"}"# + "\n" + #"{"key":5,"m":[2]}"# + "\n" + #"{"key":-3,"text":"three"}"# + "\n"
        try? rows.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }()

    private static let place = TextPlace(TextPosition(line: 1, column: 1))
    private static func text(_ text: String) -> Argument { .leaf(Leaf(text)) }
    private static func list(_ texts: String...) -> Argument { .list(texts.map(text), place) }
    private static func keys(_ values: [String: Argument]) -> Argument { .keys(Arguments(values)) }
    private static func entries(_ values: [(String, Argument)]) -> Argument { .entries(values.map { (Leaf($0.0), $0.1) }, place) }

    func make() throws -> any Verb {
        var checking = Checking(label: verb.declaration.name)
        let made = verb.init(argument, options: Arguments(), &checking)
        guard let made, checking.diagnostics.isEmpty else { throw Refused(diagnostics: checking.diagnostics) }
        return made
    }

    struct Refused: Error {
        var diagnostics: [DefinitionDiagnostic]
    }

    /// Lines of records, some of which fail in every possible way.
    static func records(_ count: Int, seed: UInt64) -> [String] {
        var random = Seeded(seed)
        func any(_ texts: String...) -> String { texts[Int(random.next() % UInt64(texts.count))] }
        return (0..<count).map { _ in
            if random.next() % 20 == 0 { return any("", "garbage", "{\"n\":", "[]", " ") }
            var members: [String] = []
            if random.next() % 10 > 0 { members.append("\"n\": " + any("1", "2", "-3", "0", "7.5", "4.0", "\"x\"", "null", "0.1", "1e300")) }
            if random.next() % 10 > 0 {
                members.append("\"items\":" + any("[]", "[1,2]", "[{\"n\":5},{\"v\":[1]}]", "{\"a\":1,\"b\":{}}", "{}", "\"none\"", "[[],\"x\",null]"))
            }
            if random.next() % 10 > 0 { members.append("\"text\":" + any("\"{\\\"p\\\":1}\"", "\"{}\"", "\"\"", "\"no\"", "\"{\\\"n\\\":9}\"", "3")) }
            return "{" + members.joined(separator: ", ") + "}"
        }
    }
}
