import Foundation
import Testing

@Suite("replay")
struct ReplayTests {
    /// Creates a command that has run a pipeline over `in.log`.
    ///
    /// - Parameter pipeline: the lines of the pipeline file after its name and source.
    private func command(_ pipeline: String, format: String = "jsonl", input: String, exits status: Int32 = 3) throws -> CommandUnderTest {
        let command = try CommandUnderTest()
        try command.write(input, to: "in.log")
        try write(pipeline, format: format, to: command)
        let result = try command.run("run", "x.yaml", "--progress", "none")
        #expect(result.status == status, "\(result)")
        return command
    }

    private func write(_ pipeline: String, format: String = "jsonl", to command: CommandUnderTest) throws {
        try command.write("name: x\nsource: {files: in.log, format: \(format)}\ndead_letter: dead.jsonl.gz\n\(pipeline)\n", to: "x.yaml")
    }

    private func replay(_ command: CommandUnderTest, _ letters: String = "dead.jsonl.gz", _ more: String...) throws -> CommandUnderTest.Result {
        try command.run(["replay", letters, "--with", "x.yaml", "--progress", "none"] + more)
    }

    private func isThere(_ name: String, _ command: CommandUnderTest) -> Bool {
        FileManager.default.fileExists(atPath: command.folder.appending(path: name).path)
    }

    private static let numbers = (0..<10).map { $0 % 3 == 0 ? "{\"n\":\"\($0)\"}\n" : "{\"n\":\($0)}\n" }.joined() + "hello\n"

    @Test("a mended definition resolves its dead letters beside the outputs, and what fails again keeps its place and adds up its attempts")
    func mended() throws {
        let command = try command("stages: [{set: {m: n * 2}}]\nsink: {file: out/o.jsonl.gz}", input: Self.numbers)
        defer { command.remove() }
        let before = try command.text(of: "out/o.jsonl.gz")
        let letters = try command.text(of: "dead.jsonl.gz")
        try write("stages: [{set: {m: int(n) * 2}}]\nsink: {file: out/o.jsonl.gz}", to: command)
        let result = try replay(command)
        #expect(result.status == 3, "\(result)")
        #expect(result.error.contains("  replayed: 4 of 5 resolved, 1 dead again\n"), "\(result)")
        #expect(result.error.contains("sluice: 5 of 5 dead letters are from another version of x.yaml, or other parameters\n"))
        #expect(result.error.contains("  ledger: 5 in = 4 written + 0 filtered + 1 dead: balanced\n"))
        #expect(try command.text(of: "out/o.replay-1.jsonl.gz") == [0, 3, 6, 9].map { "{\"n\":\"\($0)\",\"m\":\(2 * $0)}\n" }.joined())
        #expect(try command.text(of: "out/o.jsonl.gz") == before)
        #expect(try command.text(of: "dead.jsonl.gz") == letters)
        let again = try command.text(of: "dead.replay-1.jsonl.gz")
        #expect(again.contains("\"attempts\":2,\"source\":{\"file\":\"in.log\",\"member\":0,\"offset\":88,\"line\":11},\"raw\":\"hello\"}\n"), "\(again)")
        let audit = try command.run("audit", ".sluice/x/replay/report.json")
        #expect(audit.status == 0, "\(audit)")
        #expect(try command.run("audit", ".sluice/x/report.json").status == 0)
    }

    @Test("the same dead letters twice add nothing twice; --again replays them; the rest can be replayed from either file")
    func twice() throws {
        let command = try command("stages: [{set: {m: n * 2}}]\nsink: {file: out/o.jsonl}", input: Self.numbers)
        defer { command.remove() }
        try write("stages: [{set: {m: int(n) * 2}}]\nsink: {file: out/o.jsonl}", to: command)
        #expect(try replay(command).status == 3)
        let second = try replay(command)
        #expect(second.error.contains("  replayed: 0 of 5 resolved, 1 dead again, 4 dealt with before\n"), "\(second)")
        #expect(!isThere("out/o.replay-2.jsonl", command))
        #expect(try command.text(of: "dead.replay-2.jsonl.gz").contains("\"attempts\":2,"))
        let third = try replay(command, "dead.replay-1.jsonl.gz")
        #expect(third.error.contains("  replayed: 0 of 1 resolved, 1 dead again\n"), "\(third)")
        #expect(try command.text(of: "dead.replay-3.jsonl.gz").contains("\"attempts\":3,"))

        try write("stages: [{set: {m: '1'}}]\nsink: {file: out/o.jsonl, format: jsonl}", format: "lines", to: command)
        let rest = try replay(command)
        #expect(rest.status == 0, "\(rest)")
        #expect(try command.text(of: "out/o.replay-4.jsonl") == "{\"line\":\"hello\",\"m\":1}\n")
        let none = try replay(command, "dead.replay-3.jsonl.gz")
        #expect(none.status == 0)
        #expect(
            none.error.hasSuffix("sluice: dead.replay-3.jsonl.gz: nothing to replay; 1 dead letter was dealt with by earlier replays (--again replays them)\n"),
            "\(none)")
        #expect(!isThere("dead.replay-5.jsonl.gz", command))
        let all = try replay(command, "dead.jsonl.gz", "--again")
        #expect(all.error.contains("  replayed: 5 of 5 resolved\n"), "\(all)")
    }

    @Test("dead letters copied elsewhere, plain, joined and shuffled are replayed once each")
    func copied() throws {
        let command = try command("stages: [{set: {m: n * 2}}]\nsink: {file: out/o.jsonl}", input: Self.numbers)
        defer { command.remove() }
        _ = try command.shell("mkdir -p else && gzip -dc dead.jsonl.gz > else/a && { tac else/a; echo; cat else/a; } > else/letters")
        try write("stages: [{set: {m: int(n) * 2}}]\nsink: {file: out/o.jsonl}", to: command)
        let result = try replay(command, "else/letters", "--workers", "3", "--report", "copy.json")
        #expect(result.error.contains("  replayed: 4 of 10 resolved, 1 dead again, 5 dealt with before\n"), "\(result)")
        #expect(result.error.contains("  ledger: 11 in = 4 written + 6 filtered + 1 dead: balanced\n"))
        let lines = try command.text(of: "out/o.replay-1.jsonl").split(separator: "\n")
        #expect(lines.count == 4 && Set(lines).count == 4)
        #expect(try command.text(of: "copy.json").contains("\"resolved\" : 4"))
        #expect(try command.run("audit", ".sluice/x/replay/report.json").status == 0)
    }

    @Test("partitions, parts, several sinks and routes get new files each, and a copy of a record only those that lack it")
    func outputs() throws {
        let tail = { (expression: String) in
            """
            match: all
            routes:
              - name: days
                sink: {file: 'out/d={string(record.?d.orValue("none"))}/r.csv.gz', format: {csv: {columns: [n, d]}}}
              - name: sums
                stages: [{set: {m: \(expression)}}]
                sink: [{file: out/sums.jsonl}, {file: out/p.jsonl, part: {records: 2}}]
            """
        }
        let command = try command(tail("n * 2"), input: (0..<8).map { "{\"n\":\($0 % 2 == 0 ? "\"\($0)\"" : "\($0)"),\"d\":\($0 % 3)}\n" }.joined())
        defer { command.remove() }
        let before = try command.shell("cat out/*/* out/* 2>/dev/null | sha256sum").output
        try write(tail("int(n) * 2"), to: command)
        let result = try replay(command)
        #expect(result.status == 0, "\(result)")
        #expect(result.error.contains("  replayed: 4 of 4 resolved\n"), "\(result)")
        #expect(
            try command.shell("find out -name '*replay*' | sort").output == "out/p.replay-1-00001.jsonl\nout/p.replay-1-00002.jsonl\nout/sums.replay-1.jsonl\n")
        #expect(try command.text(of: "out/sums.replay-1.jsonl") == [0, 2, 4, 6].map { "{\"n\":\"\($0)\",\"d\":\($0 % 3),\"m\":\(2 * $0)}\n" }.joined())
        _ = try command.shell("find out -name '*replay*' -delete")
        #expect(try command.shell("cat out/*/* out/* 2>/dev/null | sha256sum").output == before)
    }

    @Test("a record that was lost before the routes goes to all of them, into new partitions")
    func beforeRoutes() throws {
        let tail = { (expression: String) in
            """
            stages: [{keep: \(expression)}]
            match: all
            routes:
              - name: a
                sink: {file: 'out/k={k}.jsonl'}
              - name: b
                stages: [{set: {m: k + k}}]
                sink: {file: 'out/{k}/b.jsonl.gz'}
            """
        }
        let command = try command(tail("k > 1"), input: "{\"k\":\"x\"}\n{\"k\":2}\n{\"k\":\"y\"}\n")
        defer { command.remove() }
        try write(tail("k != ''"), to: command)
        let result = try replay(command)
        #expect(result.error.contains("  replayed: 2 of 2 resolved"), "\(result)")
        #expect(result.status == 0)
        let files = ["out/k=x.replay-1.jsonl", "out/k=y.replay-1.jsonl", "out/x/b.replay-1.jsonl.gz", "out/y/b.replay-1.jsonl.gz"]
        #expect(try command.shell("find out -name '*replay*' | LC_ALL=C sort").output == files.map { $0 + "\n" }.joined())
        #expect(try command.text(of: files[0]) == "{\"k\":\"x\"}\n")
        #expect(try command.text(of: files[3]) == "{\"k\":\"y\",\"m\":\"yy\"}\n")
    }

    @Test("a kill in the middle leaves no output and no record of it; the next replay does it all")
    func killed() throws {
        let slow = "stages: [{exec: [sh, ./child.sh]}]\nsink: {file: out/o.jsonl}"
        let input = (0..<50).map { "{\"n\":\($0)}\n" }.joined() + "hello\n"
        let command = try command("stages: [{keep: m > 0}]\nsink: {file: out/o.jsonl}", input: input)
        defer { command.remove() }
        try command.write("n=0\nwhile read -r line; do n=$((n + 1)); [ $n != 30 ] || kill -9 $PPID; echo \"$line\"; done\n", to: "child.sh")
        try write(slow, to: command)
        #expect(try replay(command).status == 9)
        #expect(!isThere("out/o.replay-1.jsonl", command))
        try command.write("while read -r line; do echo \"$line\"; done\n", to: "child.sh")
        let result = try replay(command)
        #expect(result.error.contains("  replayed: 50 of 51 resolved, 1 dead again\n"), "\(result)")
        #expect(try command.text(of: "out/o.replay-1.jsonl").split(separator: "\n").count == 50)
        #expect(try command.shell("find . -name '.sluice-*'; ls .sluice/x/replay").output == "report.json\nresolved-1\nsamples.json\n")
    }

    @Test("a replay that is interrupted publishes nothing and leaves nothing to resume; the next one does it all, once", arguments: ["0", "1000"])
    func drained(checkpointSeconds: String) throws {
        // Two batches, of which the first is committed when the second is given up.
        let text = String(repeating: "x", count: 40_000)
        let input = (0..<50).map { "{\"n\":\($0),\"t\":\"\(text)\"}\n" }.joined() + "hello\n"
        let command = try command("stages: [{keep: m > 0}]\nsink: {file: out/o.jsonl}", input: input)
        defer { command.remove() }
        // The child tells the run to drain, and gives it the time to before it answers.
        let child = """
            while read -r line; do
                case $line in *:40,*) kill -TERM $PPID; sleep 0.3;; esac
                echo "$line"
            done

            """
        try command.write(child, to: "child.sh")
        try write("stages: [{exec: [sh, ./child.sh], workers: 1}]\nsink: {file: out/o.jsonl}", to: command)
        let arguments = ["replay", "dead.jsonl.gz", "--with", "x.yaml", "--progress", "none"]
        let drained = try command.run(arguments, environment: ["SLUICE_CHECKPOINT_SECONDS": checkpointSeconds])
        #expect(drained.status == 143, "\(drained)")
        #expect(drained.error.contains("interrupted, nothing was published,") && !drained.error.contains("run again to resume"), "\(drained)")
        #expect(try command.shell("find . -name '.sluice-*'; ls .sluice/x/replay").output == "report.json\nsamples.json\n")
        try command.write("while read -r line; do echo \"$line\"; done\n", to: "child.sh")
        let result = try replay(command)
        #expect(!result.error.contains("resuming"), "\(result)")
        #expect(result.error.contains("  replayed: 50 of 51 resolved, 1 dead again\n"), "\(result)")
        #expect(try command.text(of: "out/o.replay-1.jsonl").split(separator: "\n").count == 50)
        #expect(try command.text(of: ".sluice/x/replay/resolved-1").split(separator: "\n").count == 50)
        #expect(try command.run("audit", ".sluice/x/replay/report.json").status == 0)
        #expect(try replay(command).error.contains("50 dealt with before"))
    }

    /// What a replay cannot do: the stages, a record that is refused, the stage that refuses it,
    /// and the reason.
    private static let kept = [
        ("[{set: {m: n * 2}}, {dedupe: {by: n}}]", "jsonl", "{\"n\":\"a\"}", "'dedupe' depends on the other records, which are not read again"),
        ("[{dedupe: {by: m}}]", "jsonl", "{\"n\":1}", "'dedupe' depends on the other records, which are not read again"),
        ("[{set: {m: n * 2}}, {head: 5}]", "jsonl", "{\"n\":\"a\"}", "'head' depends on the other records, which are not read again"),
        ("[{keep: n > 0}, {sample: {share: 50%}}]", "jsonl", "{\"n\":\"a\"}", "'sample' depends on the other records, which are not read again"),
        ("[{set: {m: n * 2}}, {summarize: {values: {c: count()}}}]", "jsonl", "{\"n\":\"a\"}", "'summarize' combines records, and has given its results"),
        ("[{sort: {by: [m]}}]", "jsonl", "{\"n\":1}", "'sort' combines records, and has given its results"),
        ("[{sort: {by: [n]}}, {set: {m: n * 2}}]", "jsonl", "{\"n\":\"a\"}", "their records were combined from others, and belong to no input"),
        ("[{redact: {fields: [u], with: remove}}, {set: {m: n * 2}}]", "jsonl", "{\"n\":\"a\"}", "'redact' has withheld the bytes of their records"),
        ("[{explode: l}, {set: {m: l * 2}}]", "jsonl", "{\"l\":[1,\"a\"]}", "'set' comes after 'explode', which makes several records of one"),
    ]

    @Test("a dead letter that cannot be replayed is named with the reason, and nothing is published if there are no others", arguments: kept)
    func refused(stages: String, format: String, record: String, reason: String) throws {
        let command = try command("stages: \(stages)\nsink: {file: out/o.jsonl}", format: format, input: record + "\n{\"n\":3,\"m\":1,\"l\":[3]}\n")
        defer { command.remove() }
        let result = try replay(command)
        #expect(result.status == 1, "\(result)")
        #expect(result.error == "sluice: dead.jsonl.gz: nothing to replay\n  not replayed: 1: \(reason)\n")
        #expect(!isThere("dead.replay-1.jsonl.gz", command))
    }

    @Test("beside others that can be replayed, it goes to the new dead letters as it was")
    func keptBesides() throws {
        let stages = { (second: String) in "stages: [{keep: \(second)}, {explode: l}, {set: {m: l * 2}}]\nsink: {file: out/o.jsonl}" }
        let command = try command(stages("n > 0"), input: "{\"n\":1,\"l\":[1,\"a\",3]}\n{\"l\":[5]}\n{\"n\":1,\"l\":[\"b\"]}\n")
        defer { command.remove() }
        let letters = try command.text(of: "dead.jsonl.gz").split(separator: "\n")
        #expect(letters.count == 3)
        try write(stages("true"), to: command)
        let result = try replay(command)
        #expect(result.status == 3)
        #expect(result.error.contains("  replayed: 1 of 3 resolved, 2 not replayed\n  not replayed: 2: 'set' comes after 'explode'"), "\(result)")
        #expect(result.error.contains("  ledger: 3 in = 1 written + 0 filtered + 2 dead: balanced\n"))
        #expect(try command.text(of: "out/o.replay-1.jsonl") == "{\"l\":5,\"m\":10}\n")
        #expect(try command.text(of: "dead.replay-1.jsonl.gz").split(separator: "\n") == [letters[0], letters[2]])
        #expect(try command.run("audit", ".sluice/x/replay/report.json").status == 0)
    }

    @Test("a record that becomes several of which one fails is not written twice")
    func partly() throws {
        let stages = { (first: String) in "stages: [{keep: \(first)}, {explode: l}, {set: {m: l * 2}}]\nsink: {file: out/o.jsonl}" }
        let command = try command(stages("n > 0"), input: "{\"l\":[1,\"a\",3]}\n")
        defer { command.remove() }
        try write(stages("true"), to: command)
        #expect(try replay(command).error.contains("  replayed: 0 of 1 resolved, 1 dead again\n"))
        #expect(try command.text(of: "out/o.replay-1.jsonl") == "{\"l\":1,\"m\":2}\n{\"l\":3,\"m\":6}\n")
        let again = try replay(command)
        #expect(again.error.contains("nothing to replay; 1 dead letter was dealt with"), "\(again)")
    }

    @Test("stages that depend on other records are passed by records that they let pass before")
    func passed() throws {
        let stages = { (last: String) in
            "stages: [{dedupe: {by: n}}, {sample: {share: 1.0}}, {head: 4}, {throttle: {records: 1000}}, {set: {m: \(last)}}]\nsink: {file: out/o.jsonl}"
        }
        let command = try command(stages("n * 2"), input: "{\"n\":1}\n{\"n\":\"2\"}\n{\"n\":\"2\"}\n{\"n\":\"3\"}\n{\"n\":4}\n{\"n\":\"5\"}\n")
        defer { command.remove() }
        try write(stages("int(n) * 2"), to: command)
        let result = try replay(command)
        #expect(result.status == 0, "\(result)")
        #expect(try command.text(of: "out/o.replay-1.jsonl") == "{\"n\":\"2\",\"m\":4}\n{\"n\":\"3\",\"m\":6}\n")
    }

    @Test("a record that now belongs to another route goes there, unless a stage there needs all records")
    func otherRoute() throws {
        let routes = { (condition: String, stage: String) in
            """
            routes:
              - name: a
                when: \(condition)
                stages: [{set: {m: n * 2}}]
                sink: {file: out/a.jsonl}
              - name: b
                stages: [\(stage)]
                sink: {file: out/b.jsonl}
            """
        }
        for (stage, isTaken) in [("{keep: true}", true), ("{head: 9}", false), ("{summarize: {values: {c: count()}}}", false)] {
            let command = try command(routes("true", stage), input: "{\"n\":\"x\"}\n{\"n\":1}\n")
            defer { command.remove() }
            try write(routes("n != 'x'", stage), to: command)
            let result = try replay(command)
            #expect(result.status == (isTaken ? 0 : 3), "\(result)")
            #expect(isThere("out/b.replay-1.jsonl", command) == isTaken)
            if !isTaken { #expect(result.error.contains("replay.route in routes: the record now belongs to the route 'b', where stage 'b/")) }
        }
    }

    @Test("a stage may be renamed or removed")
    func renamed() throws {
        let command = try command("stages: [{keep: n > 0}]\nsink: {file: out/o.jsonl}", input: "{\"n\":\"a\"}\n")
        defer { command.remove() }
        try write("stages: [{name: other, keep: n != ''}]\nsink: {file: out/o.jsonl}", to: command)
        #expect(try replay(command).status == 0)
        try write("stages: [{name: other, keep: n != ''}, {explode: l}]\nsink: {file: out/o.jsonl}", to: command)
        let result = try replay(command, "dead.jsonl.gz", "--again")
        #expect(result.error.contains("  not replayed: 1: the pipeline has no stage 'keep'\n"), "\(result)")
    }

    @Test("records of files with headers are read with the header of their file")
    func headers() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write("a,b\n1,x\n2,y\n", to: "in/1.csv")
        try command.write("b,a\nu,3\nv,w\n\"two\nlines\",4\n", to: "in/2.csv")
        let pipeline = { (expression: String) in
            "name: x\nsource: {files: in/*.csv, format: csv}\nstages: [{set: {n: \(expression)}}]\nsink: {file: out/o.jsonl}\ndead_letter: dead.jsonl.gz\n"
        }
        try command.write(pipeline("a * 2"), to: "x.yaml")
        #expect(try command.run("run", "x.yaml", "--progress", "none").status == 3)
        try command.write(pipeline("\"a == 'w' ? 0 : int(a)\""), to: "x.yaml")
        #expect(try replay(command).status == 0)
        #expect(
            try command.text(of: "out/o.replay-1.jsonl")
                == "{\"a\":\"1\",\"b\":\"x\",\"n\":1}\n{\"a\":\"2\",\"b\":\"y\",\"n\":2}\n{\"b\":\"u\",\"a\":\"3\",\"n\":3}\n"
                + "{\"b\":\"v\",\"a\":\"w\",\"n\":0}\n{\"b\":\"two\\nlines\",\"a\":\"4\",\"n\":4}\n")
        _ = try command.shell("rm in/2.csv")
        let gone = try replay(command, "dead.jsonl.gz", "--again")
        #expect(gone.status == 2)
        #expect(gone.error.hasSuffix("sluice: in/2.csv: its header is needed to read its records, and cannot be read: in/2.csv: no such file\n"), "\(gone)")
    }

    @Test("source.file, source.line and source.offset are those of the record, and its bytes need not be text")
    func places() throws {
        let stages = { (condition: String) in
            "stages: [{keep: \(condition)}, {set: {f: source.file, l: source.line, o: source.offset}}]\nsink: {file: out/o.jsonl}"
        }
        let command = try command(stages("error('no')"), format: "lines", input: "one\n")
        defer { command.remove() }
        _ = try command.shell("printf 'one\\n\\ntwo\\r\\n\\377\\376\\000x' > in.log")
        try write(stages("error('no')"), format: "lines", to: command)
        #expect(try command.run("run", "x.yaml", "--progress", "none").status == 3)
        try write(stages("true"), format: "lines", to: command)
        let result = try replay(command)
        #expect(result.error.contains("resolved"), "\(result)")
        let lines = try command.text(of: "out/o.replay-1.jsonl")
        #expect(lines.hasPrefix("{\"line\":\"one\",\"f\":\"in.log\",\"l\":1,\"o\":0}\n"), "\(lines)")
        #expect(lines.contains("{\"line\":\"two\",\"f\":\"in.log\",\"l\":3,\"o\":5}\n"), "\(lines)")
    }

    private static let wrong: [(String, String)] = [
        ("head -c 150 letters > bad", "bad:1: the file ends in the middle of this dead letter; copy the file again, or remove the line"),
        ("{ cat letters; head -c 40 letters; } > bad", "bad:6: the file ends in the middle of this dead letter; copy the file again, or remove the line"),
        ("{ head -n 2 letters; echo '{\"a\":1}'; } > bad", "bad:3: not a dead letter: expected an object with 'stage' and 'error'"),
        ("cp in.log bad", "bad:1: not a dead letter: expected an object with 'stage' and 'error'"),
        (
            "sed 's/\"pipeline\":\"x\"/\"pipeline\":\"y\"/' letters > bad",
            "bad:1: a dead letter of the pipeline 'y', but x.yaml is 'x'; replay it with its own pipeline file"
        ),
        ("sed '5s/,\"raw\":\"hello\"//' letters > bad", "bad:5: a dead letter without 'raw'; copy the file again, or remove the line"),
        ("head -c 100 dead.jsonl.gz > bad", "bad: bad@100: the compressed data ends too early (member 0); replay reads only whole files, so copy it again"),
        ("true", "bad: no such file"),
        ("mkdir bad", "bad: is a folder; name a file of dead letters"),
        ("mkfifo bad", "bad: is a device or a pipe, and dead letters are read twice; copy them to a file"),
    ]

    @Test("a file that is no whole file of dead letters of the pipeline is refused, with the line and what to do", arguments: wrong)
    func refusedFile(making: String, message: String) throws {
        let command = try command("stages: [{keep: n > 1}]\nsink: {file: out/o.jsonl}", input: Self.numbers)
        defer { command.remove() }
        _ = try command.shell("gzip -dc dead.jsonl.gz > letters; \(making)")
        let result = try replay(command, "bad")
        #expect(result.status == 2, "\(result)")
        #expect(result.error == "sluice: \(message)\n")
        #expect(!isThere("dead.replay-1.jsonl.gz", command))
    }

    @Test("numbers that no dead letter has do no harm", arguments: ["9223372036854775807", "18446744073709551615", "-1", "1e300"])
    func hugeNumbers(number: String) throws {
        let command = try command("sink: {file: out/o.jsonl}", format: "csv", input: "a,b\n1,2\n1,2,3\n")
        defer { command.remove() }
        let letter = try command.text(of: "dead.jsonl.gz")
        let keys = ["attempts", "member", "offset", "line"]
        let changed = try keys.reduce(letter) { $0.replacing(try Regex("\"\($1)\":[0-9]+"), with: "\"\($1)\":\(number)") }
        #expect(changed.components(separatedBy: number).count == keys.count + 1, "\(changed)")
        try command.write(changed, to: "letters.jsonl")
        let result = try replay(command, "letters.jsonl")
        #expect(result.status == 3 && result.error.contains("  replayed: 0 of 1 resolved, 1 dead again\n"), "\(result)")
        #expect(try command.text(of: "dead.replay-1.jsonl.gz").contains("\"raw\":\"1,2,3\""))
    }

    @Test("an existing file is never replaced, and nothing is published then")
    func existing() throws {
        let command = try command("stages: [{set: {m: n * 2}}]\nsink: {file: 'out/{m}.jsonl'}", input: Self.numbers)
        defer { command.remove() }
        try write("stages: [{set: {m: int(n) * 2}}]\nsink: {file: 'out/{m}.jsonl'}", to: command)
        try command.write("what stood here", to: "out/6.replay-1.jsonl")
        let result = try replay(command)
        #expect(result.status == 1)
        #expect(result.error.contains("out/6.replay-1.jsonl: exists already, and a replay replaces no file; move it away"), "\(result)")
        #expect(try command.text(of: "out/6.replay-1.jsonl") == "what stood here")
        #expect(!isThere("out/12.replay-1.jsonl", command))
        #expect(!isThere("dead.replay-1.jsonl.gz", command))
        #expect(!isThere(".sluice/x/replay/resolved-1", command))
        try write("stages: [{set: {m: int(n) * 2}}]\nsink: {file: out/o.jsonl}", to: command)
        try command.write("what stood here", to: "out/o.replay-1.jsonl")
        #expect(try replay(command).error.contains("  replayed: 4 of 5 resolved"))
        #expect(isThere("out/o.replay-2.jsonl", command) && isThere("dead.replay-2.jsonl.gz", command))
    }

    @Test("a suspect record is replayed if the definition accepts it, the end of a torn one never")
    func suspect() throws {
        let source = { (policy: String) in
            "name: x\nsource: {files: in.gz, format: lines, on_damage: \(policy)}\ndead_letter: dead.jsonl.gz\nsink: {file: out/o.log}\n"
        }
        let command = try CommandUnderTest()
        defer { command.remove() }
        // The last byte but eight belongs to the checksum.
        _ = try command.shell(
            "printf 'one\\ntwo\\n' | gzip -n > in.gz && printf '\\000\\000\\000\\000' | dd of=in.gz bs=1 seek=$(($(wc -c < in.gz) - 8)) conv=notrunc")
        try command.write(source("set_aside"), to: "x.yaml")
        #expect(try command.run("run", "x.yaml", "--progress", "none").status == 3)
        let refused = try replay(command)
        #expect(refused.status == 1)
        #expect(refused.error.contains("2: 'on_damage: set_aside' does not accept records of damaged members; 'on_damage: salvage' does"), "\(refused)")
        try command.write(source("salvage"), to: "x.yaml")
        let result = try replay(command)
        #expect(result.status == 0, "\(result)")
        #expect(try command.text(of: "out/o.replay-1.log") == "one\ntwo\n")
    }

    @Test("standard output and a SQLite database work, too")
    func otherSinks() throws {
        let tail = { (expression: String) in
            "stages: [{set: {m: \(expression)}}]\nroutes: [{name: a, sink: [{stdout: true}, {sqlite: out/t.db, table: t}]}]"
        }
        let command = try command(tail("n * 2"), input: Self.numbers)
        defer { command.remove() }
        try write(tail("int(n) * 2"), to: command)
        let result = try replay(command)
        #expect(result.output == [0, 3, 6, 9].map { "{\"n\":\"\($0)\",\"m\":\(2 * $0)}\n" }.joined())
        #expect(isThere("out/t.replay-1.db", command))
        #expect(try command.run("audit", ".sluice/x/replay/report.json").status == 0)
    }

    @Test("years that depend on all records are said to be so")
    func years() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write("name: x\nsource: {files: in.log, format: syslog, year: 2026}\nsink: {file: out/o.jsonl}\n", to: "x.yaml")
        try command.write("hello\n", to: "in.log")
        _ = try command.run("run", "x.yaml", "--progress", "none")
        let result = try replay(command, ".sluice/x/dead-letter.jsonl.gz")
        #expect(result.status == 2)
        #expect(result.error.contains("x.yaml: 'source.year' finds the years of times by the order of all records, so single ones cannot be replayed"))
    }

    /// A source, the command that makes its input, and the records that the replay writes.
    private static let sources = [
        (
            "format: tsv", "printf '#separator \\\\x09\\n#fields\\ta\\tb\\n1\\tx\\n#fields\\tb\\ta\\nu\\t3\\n'",
            "{\"a\":\"1\",\"b\":\"x\"}\n{\"b\":\"u\",\"a\":\"3\"}\n"
        ),
        (
            "format: {json: {records: R}}", "printf '{\"R\":[{\"a\":1,\\n \"b\":\"x\"},{\"a\":2,\\n\\n\"b\":\"y\"}]}\\n'",
            "{\"a\":1,\"b\":\"x\"}\n{\"a\":2,\"b\":\"y\"}\n"
        ),
        (
            "format: lines, multiline: {starts: '^ERR'}", "printf 'ERR one\\n  at x\\nERR two\\n'",
            "{\"line\":\"ERR one\\n  at x\"}\n{\"line\":\"ERR two\"}\n"
        ),
        ("format: lines, encoding: latin1", "printf 'caf\\351 one\\nna\\357ve\\n'", "{\"line\":\"café one\"}\n{\"line\":\"naïve\"}\n"),
        ("format: {csv: {types: infer}}", "printf 'a,b\\n1,2\\n3,x\\n'", "{\"a\":1,\"b\":\"2\"}\n{\"a\":3,\"b\":\"x\"}\n"),
    ]

    @Test("records of every kind of text are parsed anew as they were", arguments: sources)
    func texts(source: String, making: String, expected: String) throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        #expect(try command.shell("\(making) > in.log").status == 0)
        let pipeline = { (condition: String) in
            "name: x\nsource: {files: in.log, \(source)}\nstages: [{keep: \(condition)}]\nsink: {file: out/o.jsonl}\ndead_letter: dead.jsonl\n"
        }
        try command.write(pipeline("error('no')"), to: "x.yaml")
        let ran = try command.run("run", "x.yaml", "--progress", "none")
        #expect(ran.status == 3, "\(ran)")
        try command.write(pipeline("true"), to: "x.yaml")
        let result = try replay(command, "dead.jsonl")
        #expect(result.status == 0, "\(result)")
        #expect(try command.text(of: "out/o.replay-1.jsonl") == expected)
        for state in [".sluice/x", ".sluice/x/replay"] { #expect(try command.run("audit", "\(state)/report.json").status == 0) }
    }
}
