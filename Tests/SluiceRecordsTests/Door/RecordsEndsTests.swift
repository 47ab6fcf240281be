import Foundation
import Sluice
import SluiceCEL
import Synchronization
import Testing

@testable import SluiceRecords

/// What `Records` can read from and write to, besides a file: routes, several outputs, parts,
/// databases, lists of files, only new files.
@Suite("Records: sources and outputs")
final class RecordsEndsTests {
    private let folder = NSTemporaryDirectory() + "sluice-ends-\(UUID().uuidString)"

    init() throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: folder)
    }

    private func write(_ text: String, to name: String) throws {
        try Data(text.utf8).write(to: URL(filePath: "\(folder)/\(name)"))
    }

    private func text(of name: String) throws -> String { try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8) }

    private func numbers(_ range: Range<Int>) throws -> Records {
        try write(range.map { "{\"n\":\($0)}\n" }.joined(), to: "in.jsonl")
        return Records.reading(archives: [folder + "/in.jsonl"], format: .jsonl)
    }

    private func run(_ records: Records, workers: Int = 2) async throws -> RunReport {
        let report = try await records.run(workers: workers, state: folder + "/state")
        #expect(try Audit(RunReport(contentsOf: folder + "/state/report.json")).findings.filter { !$0.holds } == [])
        return report
    }

    private func problems(_ records: Records) -> [String] {
        do throws(RecordsError) {
            try records.check()
            return []
        } catch {
            guard case .invalid(let problems) = error else { return ["\(error)"] }
            return problems.map(\.message)
        }
    }

    @Test(arguments: [1, 4]) func `routes divide the records, and keep books of their own`(workers: Int) async throws {
        let out = folder
        let records = try numbers(0..<9).routes(
            RecordRoute("small", when: "n < 3") { $0.set(["m": "n * 2"]).writing(to: out + "/small.jsonl") },
            RecordRoute("even", when: "n % 2 == 0") {
                $0.routes(
                    RecordRoute("four", when: "n == 4") { $0.writing(to: out + "/four.jsonl") },
                    RecordRoute("others") { $0.writing(to: out + "/others.jsonl", format: .csv()) })
            })
        let report = try await run(records, workers: workers)
        #expect(try text(of: "small.jsonl") == "{\"n\":0,\"m\":0}\n{\"n\":1,\"m\":2}\n{\"n\":2,\"m\":4}\n")
        #expect(try text(of: "four.jsonl") == "{\"n\":4}\n")
        #expect(try text(of: "others.jsonl") == "n\n6\n8\n")
        #expect(report.status == .complete && report.balanced && report.records.filtered == 3 && report.records.written == 6)
        #expect(report.stages.compactMap(\.route) == ["small", "small", "even", "even/four", "even/others"])
        #expect(report.stages.map(\.name).contains("small/set"))
    }

    @Test func `with match all, every route gets a copy`() async throws {
        let out = folder
        let records = try numbers(0..<4).routes(
            RecordRoute("all") { $0.writing(to: out + "/all.jsonl") },
            RecordRoute("large", when: "n > 2") { $0.writing(to: out + "/large.jsonl") }, match: .all)
        let report = try await run(records)
        #expect(try text(of: "large.jsonl") == "{\"n\":3}\n")
        #expect(report.records.written == 5 && report.records.added == 1)
    }

    @Test func `several outputs get the same records`() async throws {
        let taken = Mutex<[Int64]>([])
        let records = try numbers(0..<3).set(["t": "'a' + string(n)"]).select(["n", "t"]).writing(
            to: .file(folder + "/a.csv"), .database(folder + "/a.db", table: "numbers"),
            .closure { record in taken.withLock { $0.append(record["n"]?.int ?? -1) } })
        let report = try await run(records)
        #expect(try text(of: "a.csv") == "n,t\n0,a0\n1,a1\n2,a2\n")
        #expect(taken.withLock { $0 } == [0, 1, 2])
        #expect(report.outputs.compactMap(\.table) == ["numbers"])
        let table = try await run(
            numbers(1..<3).lookup("n", in: folder + "/a.db", column: .value("n")).writing(to: folder + "/looked-up.jsonl"))
        #expect(table.status == .complete)
        #expect(try text(of: "looked-up.jsonl") == "{\"n\":1,\"t\":\"a1\"}\n{\"n\":2,\"t\":\"a2\"}\n")
    }

    @Test(arguments: [1, 4]) func `each closure gets the records of its own route, in order`(workers: Int) async throws {
        let taken = Mutex<[String: [Int64]]>([:])
        let take = { @Sendable (name: String) in
            { @Sendable (record: Record) async throws in
                await Task.yield()
                taken.withLock { $0[name, default: []].append(record["n"]?.int ?? -1) }
            }
        }
        let records = try numbers(0..<100_000).routes(
            RecordRoute("even", when: "n % 2 == 0") { $0.forEach(take("even")) }, RecordRoute("odd") { $0.forEach(take("odd")) })
        let report = try await records.run(workers: workers, state: folder + "/state")
        let found = taken.withLock { $0 }
        let expected: [String: [Int64]] = ["even": (0..<50_000).map { Int64(2 * $0) }, "odd": (0..<50_000).map { Int64(2 * $0 + 1) }]
        #expect(found == expected)
        #expect(report.balanced && report.records.written == 100_000)
    }

    @Test func `parts are the same with any number of workers`() async throws {
        for workers in [1, 4] {
            let records = try numbers(0..<5).writing(to: folder + "/part.jsonl.gz", level: CompressionLevel(9), part: PartLimit(records: 2))
            let report = try await run(records, workers: workers)
            #expect(report.outputs.map(\.records) == [2, 2, 1])
            #expect(report.outputs.map { $0.file.suffix(19) } == ["part-00001.jsonl.gz", "part-00002.jsonl.gz", "part-00003.jsonl.gz"])
        }
        let byBytes = try await run(numbers(0..<4).writing(to: folder + "/bytes.jsonl", part: PartLimit(bytes: 16)))
        #expect(byBytes.outputs.map(\.bytes) == [16, 16])
    }

    @Test func `files that were read are left out, and no new file leaves everything as it is`() async throws {
        let records = { Records.reading(archives: [self.folder + "/new-*.jsonl"], format: .jsonl, onlyNew: true).writing(to: self.folder + "/out.jsonl") }
        try write("{\"n\":1}\n", to: "new-1.jsonl")
        #expect(try await run(records()).records.read == 1)
        try write("{\"n\":2}\n", to: "new-2.jsonl")
        #expect(try await run(records()).inputs.map { $0.file.suffix(11) } == ["new-2.jsonl"])
        let before = try text(of: "state/report.json")
        let nothing = try await records().run(state: folder + "/state")
        #expect(nothing.status == .complete && nothing.inputs.isEmpty && nothing.records.read == 0)
        #expect(try text(of: "out.jsonl") == "{\"n\":2}\n")
        #expect(try text(of: "state/report.json") == before)
    }

    @Test func `files can be listed, excluded and decoded`() async throws {
        for name in ["a*b.txt", "b.txt", "c.txt"] { try Data([UInt8(ascii: "x"), 0xE9, 0x0A]).write(to: URL(filePath: "\(folder)/\(name)")) }
        try write("\(folder)/a*b.txt\n\(folder)/c.txt\n", to: "list")
        let listed = Records.reading(archivesListedIn: folder + "/list", format: .lines, excluding: [folder + "/c.*"], encoding: .latin1)
            .writing(to: folder + "/out.jsonl", format: .jsonl)
        #expect(try await run(listed).inputs.map { $0.file.suffix(7) } == ["a*b.txt"])
        #expect(try text(of: "out.jsonl") == "{\"line\":\"x\u{E9}\"}\n")
        #expect(problems(Records.reading(archivesListedIn: folder + "/none", format: .lines).forEach { _ in }) == ["source: \(folder)/none: no such file"])
    }

    @Test func `parameters are values, whatever is in them`() async throws {
        let records = try numbers(0..<4).parameters(["least": .int(2), "name": "it's \"}"]).keep("n >= params.least").set(["t": "params.name"])
        _ = try await run(records.writing(to: folder + "/out.jsonl"))
        #expect(try text(of: "out.jsonl") == "{\"n\":2,\"t\":\"it's \\\"}\"}\n{\"n\":3,\"t\":\"it's \\\"}\"}\n")
    }

    @Test func `a summary, and children that answer with many lines`() async throws {
        let command = ["sed", "-u", "-e", "p", "-e", "s/.*//"]
        let records = try numbers(0..<6).exec(command, answers: .many, workers: 2, timeout: .seconds(20), startTimeout: .seconds(30))
            .summarize(["records": "count()", "total": "sum(n)"], by: ["odd": "n % 2"], order: .key).writing(to: folder + "/out.jsonl")
        _ = try await run(records)
        #expect(try text(of: "out.jsonl") == "{\"odd\":0,\"records\":3,\"total\":6}\n{\"odd\":1,\"records\":3,\"total\":9}\n")
    }

    @Test func `columns have types, given or inferred`() async throws {
        try write("a|'b|c'|NA\n7|'x|y'|2.5\n", to: "in.csv")
        let source = { (types: ColumnTypes) in
            Records.reading(
                archives: [self.folder + "/in.csv"], format: .csv(separator: "|", quote: "'", nulls: ["NA"], types: types)
            ).writing(to: self.folder + "/out.jsonl")
        }
        _ = try await run(source(["a": "int"]))
        #expect(try text(of: "out.jsonl") == "{\"a\":7,\"b|c\":\"x|y\",\"NA\":\"2.5\"}\n")
        let report = try await run(source(.inferred))
        #expect(try text(of: "out.jsonl") == "{\"a\":7,\"b|c\":\"x|y\",\"NA\":2.5}\n")
        #expect(report.types?.fields.map(\.type) == ["int", "string", "double"])
        #expect(problems(source(["a": "integer"])).first?.hasPrefix("source: 'integer' is not one of: string, int") == true)
    }

    @Test func `routes and outputs are checked like everything else`() throws {
        let fine = try numbers(0..<1)
        let out = folder + "/x.jsonl"
        #expect(problems(fine.routes()) == ["routes: there are none"])
        #expect(
            problems(
                fine.select(["n"]).routes(
                    RecordRoute("a b", when: "m > 1") { $0.keep("k").writing(to: out) }, RecordRoute("c") { $0 },
                    RecordRoute("c") { $0.named("x").writing(to: out) }))
                == [
                    "route 'a b' is not a valid name", "route 'a b': no such field 'm'", "a b/keep: no such field 'k'",
                    "route 'c': there is no sink", "route 'c': the name is already used",
                    "route 'c': the name, the parameters, the dead letters and the limits are those of the whole run",
                ])
        #expect(problems(fine.routes(RecordRoute("a") { _ in fine.writing(to: out) })) == ["route 'a' continues other records"])
        #expect(
            problems(
                fine.routes(RecordRoute("a") { $0.routes(RecordRoute("b") { $0.routes(RecordRoute("c") { $0.writing(to: out) }) }) })
            ) == ["route 'a/b': routes can only be nested one level deep"])
        #expect(problems(fine.writing(to: .file(out), .file(out))).first?.hasPrefix("sink") == true)
        #expect(problems(fine.writing(to: .database(folder + "/{n}.db", table: "t"))) == ["sink: no {…} here, a database is one file"])
        #expect(problems(fine.writing(to: out, part: PartLimit())) == ["sink: 'part' has no limit"])
        #expect(problems(fine.writing(to: .file(out, members: .many))) == ["sink: 'members' is only for gzip files"])
        #expect(problems(fine.http("http://h.example/", redirects: 99).writing(to: out)) == ["http: 99 is not within 0 to 20"])
    }

    @Test func `definitions that differ in anything have different digests`() async throws {
        let base = try numbers(0..<1).head(5).writing(to: folder + "/x.jsonl")
        let others = [
            base, try numbers(0..<1).head(6).writing(to: folder + "/x.jsonl"), base.limits(memory: 64 << 20), base.unordered(),
            base.writing(to: folder + "/x.jsonl", part: PartLimit(records: 1)), base.routes(RecordRoute("a") { $0.writing(to: folder + "/x.jsonl") }),
            base.routes(RecordRoute("a", when: "true") { $0.writing(to: folder + "/x.jsonl") }), base.parameters(["a": 1]), base.pool(workers: 2),
            base.deadLetters(to: folder + "/d.jsonl"), base.sample(0.5), base.sample(0.25), base.redact(["n"], with: .mask), base.redact(["n"], with: .remove),
        ].map(\.canonicalText)
        #expect(Swift.Set(others).count == others.count)
    }
}

/// Everything that a pipeline file can say, a Swift program can say, too.
@Suite("Records: coverage of the declarations")
struct RecordsCoverageTests {
    private static let all = Records.reading(
        archives: ["x"], format: .jsonl, unpacking: .tar, excluding: ["y"], onlyNew: true, encoding: .latin1, onDamage: .setAside, maxRecord: 1,
        lines: .starting(with: "^x"), year: 2025, zone: "Z"
    )
    .keep("true").drop("false").set(["a": "1"]).select(["a"]).remove(["a"]).rename(["a": "b"]).parse("a", as: .regex("(?P<x>.)"), into: "c")
    .explode("a", as: "b", keeping: ["c"]).redact(["a"], pattern: "x", with: .hash(key: "k")).redact(["a"], with: .network())
    .lookup("a", in: "x", as: .csv(), table: "t", column: .value("c"), into: "d", selecting: ["e"])
    .dedupe(by: ["a"], within: 5).sample(0.5, by: ["a"]).throttle(1).head(1).sort(by: ["a", .descending("b")], limit: 1)
    .summarize(["n": "count()"], by: ["a": "a"]).exec(["cat"], answers: .many, startTimeout: .seconds(1))
    .http(
        "http://x", method: "POST", headers: ["a": "b"], body: "a", as: .init(json: "a"), accept: [404], connections: 1, authorities: "c", proxy: "d")

    private static let formats: [RecordFormat] = [
        .jsonl, .json, .json(records: "a"), .combined, .combined(vhost: true, unescape: true), .common, .common(vhost: true, unescape: true),
        .access(nginx: "$a", escape: "json"), .access(apache: "%h"), .access(format: "main"),
        .csv(
            quote: nil, escape: "\\", comment: "#", columns: ["a"], hasHeader: true, trimsBlanks: true, leastFields: 1, types: .inferred, quoting: .all),
        .tsv(columns: ["a"], hasHeader: true, nulls: [""], leastFields: 1, types: ["a": "int"]), .logfmt, .logfmt(types: ["a": "int"]), .syslog, .lines,
        .regex("(?P<x>.)"),
    ]

    @Test func `every verb and each of its keys`() {
        var given: [String: Swift.Set<String>] = [:]
        for stage in Self.all.stages {
            given[stage.verb, default: []].formUnion((stage.argument?.keys?.values.keys).map(Array.init) ?? [])
            given[stage.verb]?.formUnion(stage.options.values.keys)
        }
        for verb in Verbs.all {
            let declaration = verb.declaration
            // `pattern` of `parse` is that of the format `regex`, which has it here.
            let keys = Swift.Set((declaration.argument.keys + declaration.options).map(\.name)).subtracting(declaration.name == "parse" ? ["pattern"] : [])
            #expect(given[declaration.name] == keys, "the verb \(declaration.name)")
        }
    }

    @Test func `every format and each of its options`() {
        var given: [String: Swift.Set<String>] = [:]
        for format in Self.formats {
            var script = Script()
            let argument = format.argument(&script)
            given[argument.declaration.name, default: []].formUnion((argument.options?.values.keys).map(Array.init) ?? [])
        }
        for format in Formats.all {
            let declaration = format.declaration
            #expect(given[declaration.name] == Swift.Set(declaration.argument.keys.map(\.name)), "the format \(declaration.name)")
        }
    }

    @Test func `every source, every sink, and each of their options`() {
        let listed = Records.reading(archivesListedIn: "x", format: .jsonl).source
        guard case .list = listed.archives, case .patterns = Self.all.source.archives else {
            Issue.record("a source is missing")
            return
        }
        #expect(Sources.names == ["files", "files_from"])
        var script = Script()
        #expect(Swift.Set(Self.all.source.options(&script).values.keys) == Swift.Set(FileChoice.options.map(\.name)))
        let outputs: [RecordOutput] = [
            .file("x", level: .best, members: .many, part: PartLimit(bytes: 1, records: 1)), .standardOutput(), .database("x", table: "t"),
        ]
        var sinks: [String] = []
        for case .declared(let sink, _, let options) in outputs.map(\.kind) {
            sinks.append(sink.declaration.name)
            #expect(Swift.Set(options(&script).values.keys) == Swift.Set(sink.declaration.options.map(\.name)), "the sink \(sink.declaration.name)")
        }
        #expect(sinks == Sinks.names)
    }
}

extension ArgumentShape {
    fileprivate var keys: [ArgumentKey] {
        switch self {
        case .keys(let keys), .short(_, _, let keys): keys
        default: []
        }
    }
}
