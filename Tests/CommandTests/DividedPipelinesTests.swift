import Foundation
import Testing

/// The pipelines of `pipelines/`, and up to a hundred that are generated, in 1, 2, 7 and 64 tasks.
@Suite("Divided pipelines")
struct DividedPipelinesTests {
    static let names = ((try? FileManager.default.contentsOfDirectory(atPath: CommandUnderTest.root.appending(path: "pipelines").path)) ?? [])
        .filter { $0.hasSuffix(".yaml") }.sorted()
    /// A hundred in `make trouble`, a quarter of them otherwise: each takes up to 64 processes.
    static let seeds = ProcessInfo.processInfo.environment["SLUICE_TROUBLE"] == nil ? Array(stride(from: 0, to: 100, by: 4)) : Array(0..<100)

    @Test("of pipelines/, each gives the same bytes with any number of tasks, done in any order", arguments: names, [1, 2, 7, 64])
    func own(name: String, count: Int) throws {
        let whole = try CommandUnderTest()
        defer { whole.remove() }
        for name in ["sampledata", "pipelines"] {
            try FileManager.default.copyItem(at: CommandUnderTest.root.appending(path: name), to: whole.folder.appending(path: name))
        }
        try Self.compare("pipelines/\(name)", in: whole, count: count)
    }

    @Test("of a hundred that are generated, each gives the same bytes in tasks that are done in any order", arguments: seeds)
    func generated(seed: Int) throws {
        let whole = try CommandUnderTest()
        defer { whole.remove() }
        var generator = PipelineGenerator(seed: UInt64(seed))
        for (index, text) in generator.inputs().enumerated() { try whole.write(text, to: "in/\(index).jsonl") }
        #expect(try whole.shell("gzip -n in/[0-4].jsonl && head -c 700 in/3.jsonl.gz > in/cut && mv in/cut in/3.jsonl.gz").status == 0)
        try whole.write(generator.pipeline(), to: "generated.yaml")
        try Self.compare("generated.yaml", in: whole, count: seed % 10 == 0 ? 64 : [1, 2, 7][seed % 3])
    }

    private static func compare(_ file: String, in whole: CommandUnderTest, count: Int) throws {
        let divided = try CommandUnderTest(copying: whole.folder)
        defer { divided.remove() }
        let expected = try whole.run("run", file, "--state", "state", "--progress", "none")
        let definition = try whole.text(of: file)
        try #require([0, 3].contains(expected.status), "\(expected.error)\n\(definition)")
        let plan = try divided.run("plan", file, "--tasks", "\(count)", "--plan", "plan", "--state", "state")
        #expect(plan.status == 0, "\(plan.error)")
        for task in (0..<count).shuffled() {
            let done = try divided.run("task", "plan", "--index", "\(task)", "--progress", "none", "--workers", "\(1 + task % 3)")
            #expect(done.status == 0, "\(done.error)")
        }
        let gathered = try divided.run("gather", "plan", "--progress", "none")
        #expect(gathered.status == expected.status, "\(gathered.error)")
        #expect(gathered.output == expected.output, "\(definition)")
        #expect(try divided.contents() == whole.contents(), "\(definition)")
        #expect(try divided.report() == whole.report(), "\(definition)")
        let audit = try divided.run("audit", "state/report.json", "--with", file)
        #expect(audit.status == 0, "\(audit.output)\(audit.error)\n\(definition)")
    }
}

/// Pipelines with stages, routes and sinks at random, and inputs for them.
private struct PipelineGenerator {
    private var random: Seeded
    private var names = 0

    init(seed: UInt64) { random = Seeded(state: seed) }

    private struct Seeded: RandomNumberGenerator {
        var state: UInt64

        /// SplitMix64.
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }

    private mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
    private mutating func flip(_ share: Double) -> Bool { Double.random(in: 0..<1, using: &random) < share }

    /// Of very different sizes, some empty.
    mutating func inputs() -> [String] {
        (0..<9).map { input in
            let count = [0, 1, 40, 400, 1200][number(0...4)]
            return (0..<count).map { line in
                let n = (line &* 7919 &+ input &* 104_729) % 10_007
                return n % 61 == 0 ? "not json \(n)\n" : "{\"n\":\(n),\"k\":\"\(n % 5)\",\"text\":\"\(n * 31) \(n % 17) x\"}\n"
            }.joined()
        }
    }

    mutating func pipeline() -> String {
        var hasText = true
        let stages = (0..<number(0...4)).flatMap { _ in stage(&hasText) }
        var text = "name: generated\nsource: {files: 'in/*.jsonl*', format: jsonl, max_record: 4KiB}\ndead_letter: out/dead.jsonl.gz\n"
        text += stages.isEmpty ? "" : "stages:\n" + stages.map { "  - \($0)\n" }.joined()
        guard flip(0.6) else { return text + "sink: \(sink())\n" }
        text += flip(0.5) ? "match: all\nroutes:\n" : "routes:\n"
        for route in 0..<number(1...3) {
            var hasText = hasText
            let stages = (0..<number(0...3)).flatMap { _ in stage(&hasText) }
            text += "  - name: route\(route)\n" + (flip(0.6) ? "    when: n % \(number(2...6)) == \(route)\n" : "    when: 'true'\n")
            text += stages.isEmpty ? "" : "    stages:\n" + stages.map { "      - \($0)\n" }.joined()
            text += "    sink: \(sink())\n"
        }
        return text
    }

    /// All leave a number `n` and a text `k`.
    private mutating func stage(_ hasText: inout Bool) -> [String] {
        names += 1
        switch number(0...15) {
        case 0: return ["keep: n % \(number(2...9)) != 0"]
        case 1: return ["drop: k == '\(number(0...4))'"]
        case 2: return ["set: {m\(names): n * \(number(2...9)), line: source.line, file: source.file}"]
        case 3: return ["set: {q\(names): 100 / (n % \(number(5...40)))}"]
        case 4: return ["redact: {fields: [k], with: mask}"]
        case 5: return ["sample: {share: 0.7\(flip(0.5) ? ", by: n" : "")}"]
        case 6: return ["dedupe: {by: n % \(number(50...5000))}"]
        case 7: return ["dedupe: {by: [k, n % \(number(5...50))], within: \(number(5...40))}"]
        case 8: return ["head: \(number(1...2500))"]
        case 9: return ["sort: {by: [{desc: n}, k]}"]
        case 10: return ["sort: {by: ['n % \(number(2...50))', k], limit: \(number(1...60))}"]
        case 11:
            hasText = false
            return ["summarize: {by: {k: k}, values: {n: count(), total: sum(n), middle: p50(n), most: 'top(n, 2)', kinds: distinct(n % 7)}}"]
        case 12:
            hasText = false
            return ["summarize: {by: {k: 'k + string(n % \(number(2...60)))'}, values: {n: max(n), first: first(n), mean: mean(n)}, order: key}"]
        case 13: return ["throttle: {records: 1000000, per: 1s}"]
        case 14 where hasText: return ["parse: {field: text, format: regex, pattern: '^(?P<start>[1-9][0-9]+) ', into: parts\(names)}"]
        case 15 where hasText:
            hasText = false
            return ["set: {words: \"text.split(' ')\"}", "explode: {field: words, as: word, keep: [n, k]}"]
        default: return ["set: {n: n + 1}"]
        }
    }

    private mutating func sink() -> String {
        names += 1
        let columns = "format: {csv: {columns: [n, k]}}"
        return [
            "{file: out/all\(names).jsonl.gz}", "{file: out/all\(names).jsonl}", "{file: \"out/k={k}/part\(names).jsonl.gz\"}",
            "{file: out/rows\(names).csv.gz, \(columns)}", "{file: out/rows\(names).csv}", "{file: out/piece\(names).jsonl.gz, part: 20KB}",
            "{file: out/table\(names).tsv.zst}", "[{file: out/two\(names).jsonl}, {file: \"out/k={k}/two\(names).csv\", \(columns), part: {records: 100}}]",
        ][number(0...7)]
    }
}
