import Foundation
import SluiceRecords
import Testing

@testable import sluice

@Suite("The screen of a run")
struct TopScreenTests {
    /// Names and messages that would break a screen if they were anything but text.
    static let hostile = ["\u{1B}[2J\u{1B}[31m", "日本語のステージ名は長い", "\u{202E}reversed\u{2066}", "a\nb\r\tc", String(repeating: "e\u{301}", count: 200), ""]

    @Test(
        "has as many lines as the terminal, none wider than it, whatever its size",
        arguments: [(60, 20), (80, 24), (200, 50), (40, 10), (20, 5), (1, 1), (300, 3)])
    func sizes(columns: Int, rows: Int) {
        let courses =
            [TopSample.course(), TopSample.course(names: Self.hostile, message: Self.hostile.joined())] + [
                TopSample.course(names: (1...100).map { "stage \($0)" })
            ]
        for course in courses {
            for keys in [[], [Key.character("?")], [.left], [.down, .down, .down, .character("r")], [.character("d")], [.character("z"), .up]] {
                let lines = TopSample.text(TopSample.view(columns: columns, rows: rows, course, keys: keys))
                #expect(lines.count == rows)
                for line in lines {
                    #expect(TerminalText.width(of: line) <= columns, "\(line)")
                    #expect(!line.unicodeScalars.contains { $0.value < 0x20 || $0.properties.generalCategory == .format }, "\(line)")
                }
            }
        }
    }

    @Test("at 60 columns still has every figure")
    func narrow() {
        let lines = TopSample.text(TopSample.view(columns: 60, rows: 20))
        #expect(
            lines.prefix(9).map { $0 } == [
                "errors  running  0:30  50 %  ETA 0:31  sampled 0:04 ago",
                "  480,000 records  21,600/s  6.48 MB/s  90 dead  61.0 MB mem",
                "  records/s ▄▄▄▅▅▅▅▅▅▅▅▅▅▅▆▆▆▆▆▆▆▆▆▆▇▇▇▇▇▇▇▇▇▇▇███████████",
                "",
                "  stage      rate/s  queue  workers  busy   dead over time",
                "  reading   6.48 MB               2  10 %      0 ▄▅▅▆▆▆▇▇███",
                "  source     21,600      0        2  20 %      0 ▄▅▅▆▆▆▇▇███",
                "  score      21,600      7   4 of 8  97 %     90 ▄▅▅▆▆▆▇▇███",
                "  sink       19,440      0        2  40 %      0 ▄▅▅▆▆▆▇▇███",
            ], "\(lines.joined(separator: "\n"))")
        #expect(lines.last == "q quit  ? help  s sort  ←→ time  z zoom  d drain  +- workers")
        #expect(lines.contains("       90  exec.reply in score: not a number: 'x'"))
    }

    @Test("at 60 columns has whole sentences in its help, and the keys of its questions")
    func narrowTexts() {
        let help = TopSample.text(TopSample.view(columns: 60, rows: 20, keys: [.character("?")]))
        #expect(!help.contains { $0.contains("…") } && help.contains("  s, S        sort by rate, queue, busy, dead, or by flow"), "\(help)")
        #expect(
            TopSample.text(TopSample.view(columns: 60, rows: 20, keys: [.character("d")])).last
                == "Stop reading, finish what is in flight and end the run?… y/n")
        let course = TopSample.course(names: ["source", String(repeating: "long ", count: 20), "sink"])
        let lines = TopSample.text(TopSample.view(columns: 60, rows: 20, course, keys: [.down, .down, .down, .character("r"), .character("9")]))
        #expect(lines.last?.hasPrefix("workers for 'long long ") == true && lines.last?.hasSuffix("…': 9_") == true, "\(lines)")
        for columns in 1...79 {
            for line in TopSample.text(TopSample.view(columns: columns, rows: 20)) {
                #expect(TerminalText.width(of: line) <= columns, "\(line)")
            }
        }
    }

    @Test("moves while a stage with workers of its own is at a batch, and says what is not committed")
    func inStages() {
        var course = TopSample.course()
        for (index, second) in (21...30).enumerated() {
            course.moments[second].records = course.moments[20].records
            course.moments[second].inStages = 1_000 * (index + 1)
        }
        let wide = TopSample.text(TopSample.view(columns: 100, course))
        #expect(wide[1].hasPrefix("  280,000 records (10,000 more in stages)  1,000/s  "), "\(wide[1])")
        #expect(wide[1].hasSuffix("  61.0 MB of memory"))
        #expect(TopSample.text(TopSample.view(columns: 60, course))[1].hasPrefix("  280,000 records +10,000  1,000/s  "))
        #expect(TopLines.line(course).contains("  280,000 records (10,000 more in stages)  1,000/s  "))
        course.phase = .ended(.losses)
        #expect(TopSample.text(TopSample.view(columns: 100, course))[1].hasPrefix("  280,000 records  "))
    }

    @Test("has rates between leaps, as batches are committed some seconds apart")
    func leaps() {
        var course = TopSample.course()
        // A batch of 50,000 records every five seconds, the last one four seconds ago.
        for second in 0...29 {
            let records = second / 5 * 50_000
            (course.moments[second].records, course.moments[second].written, course.moments[second].textBytes) = (records, records, records * 300)
            for step in course.steps.indices { course.moments[second].steps[step].out = Double(records) }
        }
        course.moments.removeLast()
        let lines = TopSample.text(TopSample.view(columns: 100, course))
        #expect(lines[1].hasPrefix("  250,000 records  10,000/s  3.00 MB/s  "), "\(lines[1])")
        #expect(lines.contains { $0.hasPrefix("  reading   3.00 MB ") } && lines.contains { $0.hasPrefix("  writing    10,000 ") }, "\(lines)")
        #expect(TopLines.line(course).contains("  250,000 records  10,000/s  3.00 MB/s  "))
        // Before the first of them, nothing is known.
        course.moments = Array(course.moments[...4])
        let early = TopSample.text(TopSample.view(columns: 100, course))
        #expect(early[1].hasPrefix("  0 records  12 dead") && early.contains { $0.hasPrefix("  reading         - ") }, "\(early)")
        #expect(!TopLines.line(course).contains("/s"))
    }

    @Test("keeps the chosen stage in view where there is no room for all")
    func scrolls() {
        let course = TopSample.course(names: (1...100).map { "stage \($0)" })
        let view = TopSample.view(course, keys: [.up, .up])
        let lines = TopSample.text(view)
        #expect(lines.contains { $0.hasPrefix("> stage 100 ") } && lines.contains { $0.hasPrefix("  … ") && $0.hasSuffix(" more") })
        #expect(TopSample.text(TopSample.view(course)).contains { $0.hasPrefix("  reading ") })
    }

    @Test("shows what it asks, what was done, and what went wrong")
    func says() {
        var view = TopSample.view(keys: [.character("d")])
        #expect(TopSample.text(view).last == "Stop reading, finish what is in flight and end the run? It can be resumed. y/n")
        view = TopSample.view(keys: [.down, .down, .down, .character("r"), .character("1")])
        #expect(TopSample.text(view).last == "workers for 'score': 1_")
        _ = view.handle(.key(.escape))
        _ = view.handle(.done("score now has 12 workers"))
        #expect(TopSample.text(view).last == "score now has 12 workers")
        _ = view.handle(.problem("no connection to 127.0.0.1:1"))
        #expect(TopSample.text(view).first?.hasSuffix("  no connection to 127.0.0.1:1") == true)
        #expect(TopSample.text(TopSample.view(nil)).first == "waiting for the first samples …")
        #expect(TopSample.text(TopSample.view(keys: [.left])).first == "errors  running  at 0:30 of 0:30")
    }

    @Test("says how the run stands")
    func phases() {
        var course = TopSample.course()
        let words: [(RunCourse.Phase, String)] = [
            (.draining, "errors  draining  0:30"), (.ended(.complete), "errors  complete  30.0 s"), (.ended(.losses), "errors  complete, with losses  30.0 s"),
            (.ended(.failed), "errors  failed  30.0 s"), (.ended(.interrupted), "errors  interrupted  30.0 s"),
            (.killed, "errors  ended without a report  30.0 s"),
        ]
        for (phase, text) in words {
            course.phase = phase
            #expect(TopSample.text(TopSample.view(course)).first?.hasPrefix(text) == true)
        }
        course = TopSample.course()
        course.share = 1
        #expect(TopSample.text(TopSample.view(course)).first?.contains("100 %  finishing") == true)
    }

    @Test("is the one of docs/top.md")
    func page() throws {
        let path = CommandUnderTest.root.appending(path: "docs/top.md")
        var page = try MarkdownBlocks(try String(contentsOf: path, encoding: .utf8))
        let place = try #require(page.blocks.firstIndex { $0.before.contains("<!-- screen -->") })
        var course = TopSample.course()
        (course.bottleneck, course.damage) = ("score", 2)
        let text = TopSample.text(TopSample.view(rows: 16, course, keys: [.down, .down, .down])).map { line in
            var line = line
            while line.last == " " { line.removeLast() }
            return line + "\n"
        }.joined()
        if ProcessInfo.processInfo.environment["SLUICE_WRITE_EXPECTED"] != nil {
            page.blocks[place].text = text
            try Data(page.text.utf8).write(to: path)
        }
        #expect(page.blocks[place].text == text)
    }
}

@Suite("The course of a run")
struct RunCourseTests {
    @Test("is known between its moments, and zero before the first")
    func totals() {
        let course = TopSample.course()
        #expect(course.total(at: 0.5) { Double($0.records) } == 5_100)
        #expect(course.total(at: -1) { Double($0.records) } == 0 && course.total(at: 99) { Double($0.records) } == 480_000)
        #expect(course.rate(28...30) { Double($0.records) } == 21_600)
        #expect(course.rates(0...30, parts: 3) { Double($0.records) } == [12_000, 16_000, 20_000])
        #expect(course.moment(at: 12.9)?.time == 12 && course.moment(at: -3)?.time == 0 && course.moment(at: 99)?.time == 30)
        #expect(RunCourse().rate(0...1) { Double($0.records) } == nil && RunCourse().moment(at: 0) == nil)
        #expect(course.rates(0...0, parts: 2) { Double($0.records) } == [nil, nil])
    }

    @Test("has no negative rate where a process resumed the run from a checkpoint")
    func resumed() {
        var course = TopSample.course()
        for index in 15...30 { course.moments[index].records -= 100_000 }
        #expect(course.rate(14...15) { Double($0.records) } == 0)
    }

    @Test("has the pace of the process that resumed the run")
    func resumedPace() throws {
        var course = TopSample.course()
        course.resumed = [20]
        for second in 21...30 { course.moments[second].records = 100_000 + (second - 21) * 500 }
        let (now, before) = (try #require(course.rate(at: 30) { Double($0.records) }), try #require(course.rate(at: 20) { Double($0.records) }))
        #expect(abs(now - 500) < 0.1 && abs(before - 17_600) < 0.1)
    }

    private static func samples() -> RunSamples {
        var samples = RunSamples()
        (samples.pipeline, samples.places, samples.compressedTotal, samples.threads) = ("p", ["source", "sink"], 1_000, 2)
        samples.steps = [
            RunSamples.Step(name: "reading", kind: .reading, workers: 1), RunSamples.Step(name: "source", kind: .stage, workers: 2),
            RunSamples.Step(name: "sink: blocks", kind: .stage, workers: 2), RunSamples.Step(name: "sink", kind: .stage, workers: 2),
            RunSamples.Step(name: "writing", kind: .writing, workers: 1),
        ]
        for second in 0...10 {
            var sample = RunSamples.Sample()
            (sample.time, sample.records, sample.compressedBytes, sample.dead) = (second * 1_000_000, second * 10, second * 50, second)
            (sample.out, sample.deadLetters) = ([second * 9, second * 9], [second, 0])
            sample.steps = samples.steps.map { RunSamples.Sample.Step(busy: second * 500_000, workers: $0.workers, batches: second) }
            samples.samples.append(sample)
        }
        return samples
    }

    @Test("is made of samples")
    func made() throws {
        let course = RunCourse(Self.samples(), report: nil, isRunning: true)
        #expect(course.phase == .running && course.seconds == 10 && course.share == 0.5)
        #expect(abs(try #require(course.secondsLeft) - 10) < 0.1)
        let last = try #require(course.moments.last)
        #expect(last.steps.map(\.out) == [10, 90, 10, 90, 10] && last.steps.map(\.dead) == [nil, 10, nil, 0, nil])
        #expect(course.busyShare(of: 1, 8...10) == 0.25 && course.busyShare(of: 0, 8...10) == 0.5)
        #expect(RunCourse(Self.samples(), report: nil, isRunning: false).phase == .killed)
        #expect(course.moments.allSatisfy { $0.inStages == 0 })
        // What stages have passed on counts before it is committed.
        var samples = Self.samples()
        samples.steps[3].kind = .own
        samples.samples[10].passed = [100, 95]
        let moved = try #require(RunCourse(samples, report: nil, isRunning: true).moments.last)
        #expect(moved.steps.map(\.out) == [10, 100, 10, 95, 10] && moved.inStages == 5 && moved.finished == 105)
    }

    @Test("counts the time left from where the last process began")
    func leftAfterResuming() throws {
        var samples = Self.samples()
        // Five seconds of another process, which was ten times as slow.
        samples.resumes = [5_000_000]
        for index in 6...10 { samples.samples[index].compressedBytes = 250 + (index - 5) * 100 }
        let left = try #require(RunCourse(samples, report: nil, isRunning: true).secondsLeft)
        #expect(abs(left - 2.5) < 0.2)
    }

    @Test("names the stage that the run waits for: of late while it goes on, of all its time once it has ended")
    func bottleneck() {
        var samples = Self.samples()
        samples.steps[3].kind = .own
        // Idle at first, and then busy.
        for second in 0...10 {
            for index in samples.steps.indices { samples.samples[second].steps[index].busy = 0 }
            samples.samples[second].time = second * 10_000_000
            samples.samples[second].steps[3].busy = max(0, second - 6) * 19_000_000
        }
        #expect(RunCourse(samples, report: nil, isRunning: true).bottleneck == "sink")
        #expect(RunCourse(samples, report: nil, isRunning: false).bottleneck == nil)
        for second in 0...10 { samples.samples[second].steps[3].busy = second * 19_000_000 }
        #expect(RunCourse(samples, report: nil, isRunning: false).bottleneck == "sink")
    }

    @Test("says how many places of the inputs are damaged, but not of a moment in the past")
    func damage() {
        var course = TopSample.course()
        course.damage = 1
        #expect(TopSample.text(TopSample.view(course))[1].contains("  90 dead  1 damaged place  61.0 MB"))
        #expect(!TopSample.text(TopSample.view(course, keys: [.left])).contains { $0.contains("damaged") })
        course.damage = 0
        #expect(!TopSample.text(TopSample.view(course)).contains { $0.contains("damaged") })
    }

    @Test("in plain lines, for where there is no terminal")
    func lines() {
        var course = TopSample.course()
        #expect(TopLines.line(course) == "0:30  50 %  480,000 records  21,600/s  6.48 MB/s  ETA 0:31  90 dead  busiest: writing 100 %\n")
        course.phase = .ended(.losses)
        let text = TopLines.whole(course)
        #expect(text.hasPrefix("errors  complete, with losses  30.0 s\n") && text.contains("\n  score  ") && text.hasSuffix("not a number: 'x'\n"))
        #expect(!text.contains(" \n") && !text.contains("quit"))
    }
}

@Suite("Runs to look at")
struct KnownRunsTests {
    private static func found(_ folder: String, _ written: Double, _ isRunning: Bool = false) -> KnownRuns.Found {
        KnownRuns.Found(folder: folder, written: written, isRunning: isRunning)
    }

    @Test("the newest that goes on is taken, or else the last, and a choice is said")
    func best() {
        #expect(KnownRuns([]).best == nil && KnownRuns([]).notice == nil)
        let ended = KnownRuns([Self.found("a", 1), Self.found("b", 3)])
        #expect(ended.best?.folder == "b" && ended.notice == "no run is going on; this is the last one, in b")
        #expect(KnownRuns([Self.found("a", 1)]).notice == nil)
        let one = KnownRuns([Self.found("a", 1, true), Self.found("b", 3)])
        #expect(one.best?.folder == "a" && one.notice == nil)
        let many = KnownRuns([Self.found("a", 1, true), Self.found("c", 2, true), Self.found("b", 1.5, true), Self.found("d", 9)])
        #expect(many.best?.folder == "c" && many.notice == "this is the newest of 3 runs; others: a, b")
    }
}

@Suite("sluice top", .timeLimit(Patience.hang))
struct TopCommandTests {
    private func command() throws -> CommandUnderTest {
        let command = try CommandUnderTest()
        try command.write("{\"n\":1}\nbroken \u{1B}[31m\n{\"n\":2}\n", to: "in.jsonl")
        try command.write("name: t\nsource: {files: in.jsonl, format: jsonl}\nstages: [{keep: n > 1}]\nsink: {file: out.jsonl}\n", to: "t.yaml")
        #expect(try command.run("run", "t.yaml", "--progress", "none").status == 3)
        return command
    }

    @Test("shows a run that has ended as a table where there is no terminal", arguments: [[], [".sluice/t"], [".sluice/t/report.json"]])
    func table(arguments: [String]) throws {
        let command = try command()
        defer { command.remove() }
        let result = try command.run(["top"] + arguments)
        #expect(result.status == 0 && result.error == "", "\(result)")
        #expect(result.output.hasPrefix("t  complete, with losses  ") && result.output.contains("\n  keep  ") && result.output.contains(" 1 dead"))
        #expect(result.output.contains("parse.jsonl in source: ") && !result.output.contains("\u{1B}"))
    }

    @Test("shows a run by its report if its samples are gone or another run's, and one that was killed by its samples")
    func partly() throws {
        let command = try command()
        defer { command.remove() }
        let samples = try command.text(of: ".sluice/t/samples.json")
        try command.write(samples.replacing(/"report":"[^"]*",/, with: "\"report\":\"sha256:other\","), to: ".sluice/t/samples.json")
        #expect(try command.run("top").output.contains("complete, with losses"))
        try command.write("{", to: ".sluice/t/samples.json")
        let bare = try command.run("top")
        #expect(bare.status == 0 && bare.output.contains("\n  keep  "), "\(bare)")
        try command.write(samples.replacing(/"report":"[^"]*",/, with: ""), to: ".sluice/t/samples.json")
        #expect(try command.run("top").output.hasPrefix("t  ended without a report  "))
    }

    /// Runs a command on a terminal of its own, and types `q` once it shows how the run has ended.
    private static let terminal = #"""
        import os, pty, sys
        process, terminal = pty.fork()
        if process == 0: os.execv(sys.argv[1], sys.argv[1:])
        shown, typed = b"", False
        while True:
            try: piece = os.read(terminal, 65536)
            except OSError: break
            if not piece: break
            shown += piece
            if b"complete" in shown and not typed: typed = os.write(terminal, b"q") == 1
        sys.stdout.buffer.write(shown)
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))
        """#

    @Test("takes the terminal for a while, and writes lines on one that knows no codes", arguments: [("xterm", true), ("dumb", false)])
    func onTerminal(kind: String, hasCodes: Bool) throws {
        let command = try command()
        defer { command.remove() }
        let arguments = ["python3", "-c", Self.terminal, CommandUnderTest.binary.path, "top"]
        let result = try command.start(URL(filePath: "/usr/bin/env"), arguments, environment: ["TERM": kind]).finish()
        #expect(result.status == 0 && result.output.contains("complete, with losses"), "\(result)")
        #expect(result.output.contains("\u{1B}[?1049h") == hasCodes && result.output.contains("\u{1B}[?1049l") == hasCodes)
        #expect(result.output.contains("\u{1B}") == hasCodes, "\(result)")
    }

    @Test("says what is wrong with what it is given")
    func wrong() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        #expect(try command.run("top").error == "sluice: there is no run below .sluice; name the state folder of one\n")
        let none = try command.run("top", "no/such")
        #expect(none.status == 2 && none.error == "sluice: 'no/such' is not the state folder of a run: it has neither samples.json nor report.json\n")
    }

    @Test("follows a run that goes on, in lines, until its end")
    func follows() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write("name: t\nsource: {files: '-', format: jsonl}\nsink: {file: out.jsonl}\n", to: "t.yaml")
        let run = try command.start(nil, ["run", "t.yaml", "--progress", "none"])
        try run.send("{\"n\":1}\n")
        while !FileManager.default.fileExists(atPath: command.folder.appending(path: ".sluice/t/unfinished.jsonl").path), run.process.isRunning {
            poll(nil, 0, 10)
        }
        let top = try command.start(nil, ["top"])
        // It has seen that the run goes on before the run ends, or it shows the end.
        let done = try run.finish()
        #expect(done.status == 0)
        let shown = try top.finish()
        #expect(shown.status == 0 && shown.output.contains("t  complete  "), "\(shown)")
    }
}
