import Foundation
import Testing

@Suite("The files of one run")
struct RunFilesTests {
    private static func prepared(_ pipeline: String, _ setup: String = "true") async throws -> CommandUnderTest {
        let command = try CommandUnderTest()
        try command.write("{\"h\":\"a\",\"n\":1}\nbad\n{\"h\":\"b\",\"n\":2}\n", to: "in.jsonl")
        try command.write("name: t\nsource: {files: in.jsonl, format: jsonl}\n" + pipeline, to: "t.yaml")
        let made = try await command.script(setup)
        #expect(made.status == 0, "\(made)")
        return command
    }

    /// A refused definition: the rest of the pipeline file, the setup, and the message.
    private static let refused: [(pipeline: String, setup: String, message: String)] = [
        ("sink: {file: in.jsonl}", "true", "t.yaml:3:14: sink: 'in.jsonl' is also an input"),
        ("sink: {file: ./in.jsonl}", "true", "sink: './in.jsonl' is the input 'in.jsonl'"),
        ("sink: {file: soft.jsonl}", "ln -s in.jsonl soft.jsonl", "sink: 'soft.jsonl' is the input 'in.jsonl'"),
        ("sink: {file: hard.jsonl}", "ln in.jsonl hard.jsonl", "sink: 'hard.jsonl' is the input 'in.jsonl'"),
        ("sink: {file: d/up/in.jsonl}", "mkdir d; ln -s .. d/up", "sink: 'd/up/in.jsonl' is the input 'in.jsonl'"),
        ("sink: {file: out/o.jsonl}\ndead_letter: ./in.jsonl", "true", "t.yaml:4:14: dead_letter: './in.jsonl' is the input 'in.jsonl'"),
        ("sink: {file: out/o.jsonl}\ndead_letter: out/o.jsonl", "true", "t.yaml:4:14: dead_letter: 'out/o.jsonl' is the sink's file"),
        ("sink: {file: out/o.jsonl}\ndead_letter: ./out//o.jsonl", "true", "dead_letter: './out//o.jsonl' is the sink's file 'out/o.jsonl'"),
        ("sink: {file: out/o.jsonl}\ndead_letter: l/o.jsonl", "ln -s out l", "dead_letter: 'l/o.jsonl' is the sink's file 'out/o.jsonl'"),
        (
            "sink: {file: .sluice/t/dead-letter.jsonl.gz}", "true",
            "t.yaml:3:14: sink: '.sluice/t/dead-letter.jsonl.gz' is the dead-letter file"
        ),
        ("sink: {file: .sluice/t/report.json}", "true", "sink: '.sluice/t/report.json' is the report"),
        ("sink: {file: .sluice/t/spill/x.jsonl}", "true", "sink: '.sluice/t/spill/x.jsonl' is below the run's state '.sluice/t/spill'"),
        ("sink: {file: out/o}\ndead_letter: out/o/dead.jsonl", "true", "dead_letter: 'out/o/dead.jsonl' is below the sink's file 'out/o'"),
        ("sink: {file: out/o.jsonl}\ndead_letter: t.yaml", "true", "dead_letter: 't.yaml' is the pipeline file"),
    ]

    @Test("the list of the inputs and a table of 'lookup' are not overwritten", arguments: ["list.txt", "table.csv", "link.txt"])
    func listAndTable(file: String) async throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write("{\"k\":\"a\"}\n", to: "in.jsonl")
        try command.write("in.jsonl\n", to: "list.txt")
        try command.write("k,v\na,1\n", to: "table.csv")
        #expect(try await command.script("ln -s list.txt link.txt").status == 0)
        let start = "name: t\nsource: {files_from: list.txt, format: jsonl}\nstages: [{lookup: {file: table.csv, key: k, column: k, as: row}}]\n"
        for rest in ["sink: {file: \(file), format: jsonl}\n", "sink: {file: o.jsonl}\ndead_letter: \(file)\n"] {
            try command.write(start + rest, to: "t.yaml")
            let files = try command.files
            for verb in ["check", "run"] {
                let result = try await command.sluice(verb, "t.yaml")
                #expect(result.status == 2)
                let title = file == "table.csv" ? "the table" : "the list of the inputs"
                #expect(result.error.contains("'\(file)' is \(title)"), "\(result.error)")
            }
            #expect(try command.files == files)
        }
        #expect(try command.text(of: "list.txt") == "in.jsonl\n")
        #expect(try command.text(of: "table.csv") == "k,v\na,1\n")
    }

    @Test("that are the same are refused before anything is read, by check and by run", arguments: refused.indices)
    func refuses(index: Int) async throws {
        let (pipeline, setup, message) = Self.refused[index]
        let command = try await Self.prepared(pipeline, setup)
        defer { command.remove() }
        let before = try command.text(of: "in.jsonl")
        let files = try command.files
        for verb in ["check", "run"] {
            let result = try await command.sluice(verb, "t.yaml")
            #expect(result.status == 2)
            #expect(result.error.contains(message), "\(result.error)")
            #expect(result.error.contains("  fix: "))
        }
        #expect(try command.text(of: "in.jsonl") == before)
        #expect(try command.files == files)
    }

    @Test(
        "may be links at the place of an output, devices, and hard links of yesterday's outputs",
        arguments: [
            ("sink: {file: out/o.jsonl}\ndead_letter: out/d.jsonl", "mkdir out; ln -s d.jsonl out/o.jsonl; echo x > out/d.jsonl"),
            ("sink: {file: out/o.jsonl}\ndead_letter: out/d.jsonl", "mkdir out; echo x > out/o.jsonl; ln out/o.jsonl out/d.jsonl"),
            ("sink: {file: /dev/null}\ndead_letter: /dev/null", "mkdir out; printf 'bad\\n' > out/d.jsonl; cp in.jsonl out/o.jsonl"),
        ])
    func allows(pipeline: String, setup: String) async throws {
        let command = try await Self.prepared(pipeline, setup)
        defer { command.remove() }
        let result = try await command.sluice("run", "t.yaml", "--progress", "none")
        #expect(result.status == 3, "\(result)")
        #expect(command.lines(of: "out/d.jsonl").count == 1)
        #expect(command.lines(of: "out/o.jsonl").count >= 2)
    }

    @Test(
        "the report's copy is none of the others",
        arguments: [
            ("in.json", "'in.json' is the input 'in.jsonl'"), ("out/o.json", "'out/o.json' is the sink's file"),
            ("out/../out/d.json", "is the dead-letter file 'out/d.json'"), (".sluice/t/report.json", "is the report"),
        ])
    func reportCopy(file: String, message: String) async throws {
        let command = try await Self.prepared(
            "sink: {file: out/o.json}\ndead_letter: out/d.json", "ln -s in.jsonl in.json; mkdir -p out .sluice/t")
        defer { command.remove() }
        let before = try command.text(of: "in.jsonl")
        let result = try await command.sluice("run", "t.yaml", "--report", file)
        #expect(result.status == 2)
        #expect(result.error.contains("--report: "), "\(result.error)")
        #expect(result.error.contains(message), "\(result.error)")
        #expect(try command.text(of: "in.jsonl") == before)
        #expect(!command.isThere("out/o.json"))
    }

    @Test("a link at the path of a report is replaced, and its target is kept")
    func linkedReports() async throws {
        let command = try await Self.prepared(
            "sink: {file: out/o.jsonl}", "mkdir -p out .sluice/t; ln -s ../../out/o.jsonl .sluice/t/report.json; ln -s out/o.jsonl copy.json")
        defer { command.remove() }
        #expect(try await command.sluice("run", "t.yaml", "--progress", "none", "--report", "copy.json").status == 3)
        #expect(command.lines(of: "out/o.jsonl").count == 2)
        #expect(try command.report(of: "t").text("status") == "losses")
        #expect(try command.text(of: "copy.json") == command.text(of: ".sluice/t/report.json"))
    }

    @Test("files behind standard input and standard output are recognized")
    func streams() async throws {
        let command = try await Self.prepared("sink: {stdout: true}")
        defer { command.remove() }
        try command.write("name: u\nsource: {files: '-', format: jsonl}\nsink: {file: in.jsonl}\n", to: "u.yaml")
        let before = try command.text(of: "in.jsonl")
        let appended = try await command.script("sluice run t.yaml >> in.jsonl")
        #expect(appended.status == 2)
        #expect(appended.error.contains("standard output is the input 'in.jsonl'"), "\(appended.error)")
        let replaced = try await command.script("sluice run u.yaml < in.jsonl")
        #expect(replaced.status == 2)
        #expect(replaced.error.contains("'in.jsonl' is the input '-'"), "\(replaced.error)")
        #expect(try command.text(of: "in.jsonl") == before)
        #expect(try await command.script("sluice run t.yaml > out.jsonl").status == 3)
    }

    /// Record values that must not name an output, with the sink and the message.
    private static let values: [(value: String, sink: String, message: String)] = [
        ("in", "data/{h}.jsonl", "'data/in.jsonl' is also an input"),
        ("hard", "data/{h}.jsonl", "'data/hard.jsonl' is the input 'data/in.jsonl'"),
        ("dead", "out/{h}.jsonl", "'out/dead.jsonl' is the dead-letter file 'made/../out/dead.jsonl'"),
        ("out", "links/{h}/dead.jsonl", "'links/out/dead.jsonl' is the dead-letter file 'made/../out/dead.jsonl'"),
        ("dead.jsonl", "out/{h}/x", "'out/dead.jsonl/x' is below the dead-letter file 'made/../out/dead.jsonl'"),
        ("report", ".sluice/t/{h}.json", "'.sluice/t/report.json' is the report"),
        ("spill", ".sluice/t/{h}", "'.sluice/t/spill' is reserved for the run's state"),
        ("t", "./{h}.yaml", ""),
        ("folder", "out/{h}", "'out/folder' is a folder"),
        ("away", "out/{h}/x", "'out/away' is a link, and links below 'out' are not followed"),
        ("inside", "out/{h}/x", "'out/inside' is a link, and links below 'out' are not followed"),
        ("nowhere", "out/a/{h}/b/x", "'out/a/nowhere' is a link, and links below 'out/a' are not followed"),
        ("null", "out/{h}", "'out/null' is a link to a device or a pipe"),
        ("unfinished", ".sluice/t/{h}.jsonl", "'.sluice/t/unfinished.jsonl' is reserved for the run's state"),
    ]

    @Test("a value that would make two of them one is a dead letter", arguments: values.indices)
    func refusesValues(index: Int) async throws {
        let (value, sink, message) = Self.values[index]
        let command = try await Self.prepared("")
        defer { command.remove() }
        let made = try await command.script(
            "mkdir -p data links out/folder; ln -s ../out links/out; ln -s ../data out/away; ln -s folder out/inside; "
                + "mkdir out/a; ln -s ../../missing out/a/nowhere; ln -s /dev/null out/null")
        #expect(made.status == 0)
        try command.write("{\"h\":\"\(value)\"}\n{\"h\":\"other\"}\n{\"h\":\"\(value)\"}\n", to: "data/in.jsonl")
        #expect(try await command.script("ln data/in.jsonl data/hard.jsonl").status == 0)
        let path = sink.hasPrefix("./") ? "sub/" + sink.dropFirst(2) : sink
        try command.write(
            "name: t\nsource: {files: data/./in.jsonl, format: jsonl}\nsink: {file: '\(path)', format: jsonl}\ndead_letter: made/../out/dead.jsonl\n",
            to: "t.yaml")
        let before = try command.text(of: "data/in.jsonl")
        let pipeline = sink.hasPrefix("./") ? "sub/t.yaml" : "t.yaml"
        if pipeline != "t.yaml" { #expect(try await command.script("mkdir sub; mv t.yaml sub").status == 0) }
        let result = try await command.sluice("run", pipeline, "--progress", "none")
        #expect(result.status == 3, "\(result)")
        #expect(try command.text(of: "data/in.jsonl") == before)
        let letters = try command.objects(of: "out/dead.jsonl")
        #expect(letters.map { $0.text("error", "code") } == ["sink.path", "sink.path"])
        let said = message.isEmpty ? "'sub/t.yaml' is the pipeline file" : message
        #expect(letters.first?.text("error", "message")?.hasPrefix(said) == true, "\(command.lines(of: "out/dead.jsonl"))")
        #expect(command.isThere(path.replacingOccurrences(of: "{h}", with: "other")))
        #expect(try await command.sluice("audit", ".sluice/t/report.json").status == 0)
    }

    @Test("the folder that the path begins with may be a link, to another link, too", arguments: [1, 4])
    func linkedFolder(workers: Int) async throws {
        let command = try await Self.prepared("sink: {file: 'out/{h}/x.jsonl.gz'}", "mkdir -p disk/there; ln -s disk far; ln -s far/there out")
        defer { command.remove() }
        #expect(try await command.sluice("run", "t.yaml", "--progress", "none", "--workers", "\(workers)").status == 3)
        #expect(try command.text(of: "disk/there/a/x.jsonl.gz") == "{\"h\":\"a\",\"n\":1}\n")
        #expect(try command.report(of: "t").objects("outputs").map { $0.text("file") } == ["out/a/x.jsonl.gz", "out/b/x.jsonl.gz"])
        #expect(try await command.sluice("audit", ".sluice/t/report.json").status == 0)
    }

    @Test("hundreds of outputs of several sinks need few descriptors", arguments: ["ulimit -n 64", "ulimit -n 48"])
    func fewDescriptors(limit: String) async throws {
        let command = try await Self.prepared("sink: [{file: 'out/{h}/x.jsonl.gz'}, {file: 'more/{h}/x.jsonl'}]")
        defer { command.remove() }
        try command.write((0..<600).map { "{\"h\":\"\($0 % 300)\",\"n\":\($0)}\n" }.joined(), to: "in.jsonl")
        let result = try await command.script("\(limit); exec sluice run t.yaml --progress none --workers 2")
        #expect(result.status == 0, "\(result)")
        #expect(try command.text(of: "out/7/x.jsonl.gz") == "{\"h\":\"7\",\"n\":7}\n{\"h\":\"7\",\"n\":307}\n")
        #expect(try command.files.filter { $0.hasSuffix("/x.jsonl") }.count == 300)
    }

    @Test("a value that names the file of another sink is refused, even if their folder was missing at first", arguments: [1, 8])
    func otherSink(workers: Int) async throws {
        let command = try await Self.prepared("sink: [{file: out/deep/x.jsonl}, {file: 'out/deep/{h}.jsonl'}]")
        defer { command.remove() }
        // Enough for several batches, so that the folder exists when the value is met.
        var records = (0..<60_000).map { "{\"h\":\"y\",\"n\":\($0),\"text\":\"some text that fills the batches\"}" }
        records.append("{\"h\":\"x\",\"n\":60000}")
        try command.write(records.joined(separator: "\n"), to: "in.jsonl")
        let result = try await command.sluice("run", "t.yaml", "--progress", "none", "--workers", "\(workers)")
        #expect(result.status == 3, "\(result)")
        #expect(result.error.contains("'out/deep/x.jsonl' is the file of another sink"), "\(result.error)")
        #expect(try command.text(of: "out/deep/x.jsonl").split(separator: "\n").count == 60_001)
        #expect(try command.text(of: "out/deep/y.jsonl").split(separator: "\n").count == 60_000)
    }

    @Test("names that look the same are two outputs, compressed or not", arguments: ["", ".gz"])
    func lookAlikes(ending: String) async throws {
        let command = try await Self.prepared("sink: {file: 'out/{h}.jsonl\(ending)'}")
        defer { command.remove() }
        try command.write("{\"h\":\"\u{E9}\",\"n\":1}\n{\"h\":\"e\u{301}\",\"n\":2}\n{\"h\":\"\u{E9}\",\"n\":3}\n", to: "in.jsonl")
        #expect(try await command.sluice("run", "t.yaml", "--progress", "none").status == 0)
        let counts = try command.report(of: "t").objects("outputs").map { $0.int("records") }
        #expect(counts == [1, 2])
    }

    @Test(
        "an empty input yields the sink's file, in the place of yesterday's",
        arguments: ["o.jsonl", "o.jsonl.gz"], ["in.jsonl", "nothing.gz"])
    func emptyInput(output: String, input: String) async throws {
        let command = try await Self.prepared(
            "", ": > in.jsonl; gzip -c in.jsonl > nothing.gz; mkdir out; echo yesterday > out/\(output)")
        defer { command.remove() }
        try command.write("name: t\nsource: {files: \(input), format: jsonl}\nsink: {file: out/\(output)}\n", to: "t.yaml")
        let result = try await command.sluice("run", "t.yaml", "--progress", "none")
        #expect(result.status == 0, "\(result)")
        #expect(try command.text(of: "out/\(output)") == "")
        #expect(try command.report(of: "t").objects("outputs").map { $0.int("records") } == [0])
        #expect(try await command.sluice("audit", ".sluice/t/report.json").status == 0)
    }
}
