import Foundation
import Testing

/// `plan`, `task` and `gather`: the same results as `run`, however the work is divided.
@Suite("Tasks")
struct TasksTests {
    /// Cases whose arguments are the usual ones.
    static let cases = CaseTests.names.filter {
        !FileManager.default.fileExists(atPath: CaseTests.folder.appending(path: "\($0)/arguments").path)
            && !FileManager.default.fileExists(atPath: CaseTests.folder.appending(path: "\($0)/stdin").path)
    }

    @Test("every case gives its results in three tasks", arguments: cases)
    func dividedCase(name: String) throws {
        let whole = try CommandUnderTest(copying: CaseTests.folder.appending(path: name))
        let divided = try CommandUnderTest(copying: CaseTests.folder.appending(path: name))
        defer {
            whole.remove()
            divided.remove()
        }
        let expected = try whole.run("run", "pipeline.yaml", "--progress", "none", "--state", "state")
        let plan = try divided.run("plan", "pipeline.yaml", "--tasks", "3", "--plan", "plan", "--state", "state")
        guard plan.status == 0 else {
            #expect(plan.status == 2 && expected.status == 2, "\(plan.error)")
            return
        }
        let tasks = try [2, 0, 1].map { try divided.run("task", "plan", "--index", "\($0)", "--progress", "none") }
        guard tasks.allSatisfy({ $0.status == 0 }) else {
            #expect(expected.status == 1, "\(tasks.map(\.error))")
            #expect(try divided.run("gather", "plan").status == 1)
            #expect(try divided.contents() == whole.contents())
            return
        }
        let gathered = try divided.run("gather", "plan", "--progress", "none")
        #expect(gathered.status == expected.status)
        #expect(gathered.output == expected.output)
        #expect(try divided.contents() == whole.contents())
        if expected.status != 1 {
            #expect(try divided.report() == whole.report())
            #expect(try divided.run("audit", "state/report.json").status == 0)
        }
    }

    /// Inputs of very different sizes, one of them empty, one damaged, one with a record over the
    /// limit; routes, partitions, parts, a summary with stages after it, a sort.
    private static func prepare(_ command: CommandUnderTest) throws {
        for (index, count) in [40, 3000, 0, 700, 1, 90, 1500, 12].enumerated() {
            let lines = (0..<count).map { n -> String in
                let number = (n &* 7919 &+ index &* 104_729) % 100_003
                if number % 41 == 0 { return "not json \(number)" }
                return "{\"n\":\(number),\"k\":\"\(number % 5)\",\"text\":\"\(String(repeating: "\(number) ", count: 4))\"}"
            }
            try command.write(lines.joined(separator: "\n") + (lines.isEmpty ? "" : "\n"), to: "in/\(index).jsonl")
        }
        try command.write("{\"n\":1,\"k\":\"\(String(repeating: "long", count: 2000))\"}\n{\"n\":2,\"k\":\"2\"}\n", to: "in/8.jsonl")
        #expect(try command.shell("gzip in/*.jsonl && head -c 9000 in/6.jsonl.gz > in/cut && mv in/cut in/6.jsonl.gz").status == 0)
        try command.write(
            """
            name: divided
            source: {files: 'in/*.jsonl.gz', format: jsonl, max_record: 4KiB}
            stages:
              - set: {m: n * 2, file: source.file, line: source.line}
            match: all
            routes:
              - name: parts
                when: n % 3 == 0
                stages: [{select: [n, k, m, file, line]}]
                sink: {file: "out/k={k}/part.csv.gz"}
              - name: pieces
                sink: {file: out/piece.jsonl.gz, part: 40KB}
              - name: sums
                stages:
                  - summarize: {by: {k: k}, values: {n: count(), total: sum(m), middle: p50(n), first: first(file), most: 'top(file, 2)'}}
                  - set: {share: total / n}
                  - head: 4
                sink: {file: out/sums.jsonl}
              - name: sorted
                when: n % 7 == 0
                stages: [{sort: {by: [{desc: n}, file]}}, {select: [n, file]}]
                sink: {file: out/sorted.tsv.zst}
            dead_letter: out/dead.jsonl.gz

            """, to: "divided.yaml")
        // What depends on the order of all records, from the first ordered stage on.
        try command.write(
            """
            name: ordered
            source: {files: 'in/*.jsonl.gz', format: jsonl, max_record: 4KiB}
            stages:
              - set: {m: n * 2, at: timestamp('2026-01-01T00:00:00Z') + duration(string(n) + 's'), words: "record.?text.orValue('').split(' ')"}
              - explode: {field: words, as: word, keep: [n, k, m, at]}
              - keep: word != ''
              - {name: third, set: {rest: 100 / (m % 14)}}
              - set: {address: "ip('10.0.0.' + string(n % 9))", times: '[at, at + duration("1h")]', more: "{'a': [at], 'b': cidr('10.0.0.0/8')}"}
              - redact: {fields: [word], with: mask}
              - dedupe: {by: m}
              - set: {hour: at.getHours(), line: source.line, file: source.file, family: address.family(), next: 'times[1].getHours()'}
              - set: {inside: more.b.containsIP(address), same: 'more.a[0] == at'}
              - head: 3000
            match: all
            routes:
              - name: open
                when: n % 3 == 0
                sink: {file: "out/k={k}/open.csv.gz"}
              - name: few
                stages: [{head: 40}]
                sink: {file: out/few.jsonl}
              - name: sums
                stages: [{summarize: {by: {hour: hour}, values: {n: count(), first: first(file)}}}]
                sink: {file: out/sums.jsonl}
              - name: pieces
                sink: {file: out/piece.jsonl.gz, part: 40KB}
            dead_letter: out/dead.jsonl.gz

            """, to: "ordered.yaml")
        try command.write(
            """
            name: distinct
            source: {files: 'in/*.jsonl.gz', format: jsonl, max_record: 4KiB}
            stages:
              - set: {m: n * 2, line: source.line}
              - {name: once, dedupe: {by: [n % 500, '100 / (n % 14)']}}
              - set: {next: m + 1}
              - {name: again, dedupe: {by: m % 90}}
              - sort: {by: [{desc: m}]}
            sink: {file: out/all.jsonl.gz}
            dead_letter: out/dead.jsonl.gz

            """, to: "distinct.yaml")
    }

    @Test("the same bytes with any number of tasks, done in any order", arguments: ["divided", "ordered", "distinct"], [1, 2, 7, 64])
    func anyNumber(pipeline: String, count: Int) throws {
        let whole = try CommandUnderTest()
        defer { whole.remove() }
        try Self.prepare(whole)
        let divided = try CommandUnderTest(copying: whole.folder)
        defer { divided.remove() }
        let expected = try whole.run("run", "\(pipeline).yaml", "--state", "state", "--progress", "none")
        #expect(expected.status == 3, "\(expected.error)")
        #expect(try divided.run("plan", "\(pipeline).yaml", "--tasks", "\(count)", "--plan", "plan", "--state", "state").status == 0)
        for task in (0..<count).shuffled() {
            let done = try divided.run("task", "plan", "--index", "\(task)", "--progress", "none", "--workers", "\(1 + task % 3)")
            #expect(done.status == 0, "\(done.error)")
        }
        if pipeline == "distinct" {
            let results = try (0..<count).map { try divided.text(of: "plan/tasks/\("0000\($0)".suffix(5))/result.json") }
            #expect(results.contains { $0.contains(#/"filtered":[1-9]/#) }, "tasks leave records that they know to be duplicates")
        }
        let gathered = try divided.run("gather", "plan", "--progress", "none")
        #expect(gathered.status == 3, "\(gathered.error)")
        #expect(try divided.contents() == whole.contents())
        #expect(try divided.report() == whole.report())
        let audit = try divided.run("audit", "state/report.json", "--with", "\(pipeline).yaml")
        #expect(audit.status == 0, "\(audit.output)\(audit.error)")
    }

    /// A large file of each kind, the last one damaged, and a small one.
    static func prepareLarge(_ command: CommandUnderTest) throws -> Bool {
        try command.write(
            """
            import random, struct, zlib
            random.seed(5)
            def members(text, size, extra=lambda count: b''):
                for at in range(0, len(text), size):
                    piece = text[at:at + size]
                    deflate = zlib.compressobj(1, zlib.DEFLATED, -15)
                    data = deflate.compress(piece) + deflate.flush()
                    field = extra(len(data))
                    head = b'\\x1f\\x8b\\x08' + (b'\\x04' if field else b'\\x00') + bytes(5) + b'\\x03'
                    yield head + field + data + struct.pack('<II', zlib.crc32(piece), len(piece))
            def flushes(text, size, mode):
                deflate = zlib.compressobj(1, zlib.DEFLATED, 31)
                for at in range(0, len(text), size): yield deflate.compress(text[at:at + size]) + deflate.flush(mode)
                yield deflate.flush()
            def bgzf(count): return b'\\x06\\x00BC\\x02\\x00' + struct.pack('<H', 18 + count + 7)
            def lines(count, seed):
                for n in range(count):
                    number = (n * 7919 + seed) % 100003
                    if number % 997 == 0: yield 'not json %d\\n' % number
                    elif n == 5000: yield '{"n":1,"k":"%s"}\\n' % ('long' * 2000)
                    else: yield '{"n":%d,"k":"%d","text":"%x"}\\n' % (number, number % 5, random.getrandbits(2000))
            def rows():
                yield 'n,k,text\\n'
                for n in range(6000):
                    yield '%d,%d,"%x%s%x"\\n' % (n, n % 5, random.getrandbits(1000), '\\n' if n % 3 else ' ', random.getrandbits(1000))
            def text(lines): return ''.join(lines).encode()
            def write(name, pieces): open(name, 'wb').write(b''.join(pieces))
            write('in/a.jsonl.gz', members(text(lines(7000, 1)), 65280, bgzf))
            write('in/b.jsonl.gz', flushes(text(lines(7000, 2)), 1 << 20, zlib.Z_FULL_FLUSH))
            write('in/c.jsonl.gz', members(text(lines(20, 3)), 1 << 20))
            write('in/d.jsonl', [text(lines(5000, 4))])
            damaged = bytearray(b''.join(members(text(lines(7000, 5)), 300000)))
            for place in (500000, 1500000, 2000000): damaged[place:place + 3000] = random.randbytes(3000)
            write('in/e.jsonl.gz', [damaged[:-700]])
            write('table.csv.gz', flushes(text(rows()), 100000, zlib.Z_SYNC_FLUSH))
            write('whole.jsonl.gz', [zlib.compress(text(lines(7000, 6)), 1, 31)])

            """, to: "make.py")
        try command.write("", to: "in/f.jsonl")
        let made = try command.shell("python3 make.py")
        if made.status != 127 { #expect(made.status == 0, "\(made.error)") }
        try command.write(
            """
            name: divided
            source: {files: 'in/*', format: jsonl, max_record: 4KiB}
            stages: [{set: {m: n * 2, file: source.file, line: source.line}}]
            match: all
            routes:
              - name: some
                when: n % 3 == 0
                sink: {file: "out/k={k}/part.csv.gz", format: {csv: {columns: [n, k, m, file, line]}}}
              - name: all
                sink: {file: out/all.jsonl.gz}
              - name: sums
                stages: [{summarize: {by: {k: k}, values: {n: count(), total: sum(m / 7), first: first(line), most: 'top(file, 2)'}}}]
                sink: {file: out/sums.jsonl}
            dead_letter: out/dead.jsonl.gz

            """, to: "divided.yaml")
        try command.write(
            """
            name: ordered
            source: {files: 'in/*', format: jsonl, max_record: 4KiB}
            stages: [{set: {line: source.line}}, {dedupe: {by: n}}, {set: {half: 100 / (n % 50)}}, {head: 20000}]
            sink: {file: out/all.jsonl.gz}
            dead_letter: out/dead.jsonl.gz

            """, to: "ordered.yaml")
        try command.write(
            """
            name: table
            source: {files: table.csv.gz, format: {csv: {types: {n: int}}}}
            stages: [{set: {line: source.line, half: 100 / (n % 50)}}]
            sink: {file: out/all.jsonl.gz}
            dead_letter: out/dead.jsonl.gz

            """, to: "table.yaml")
        return made.status == 0
    }

    @Test("the same bytes if large files are divided", arguments: [("divided", 3), ("divided", 9), ("ordered", 5), ("table", 3)])
    func pieces(pipeline: String, count: Int) throws {
        let whole = try CommandUnderTest()
        defer { whole.remove() }
        guard try Self.prepareLarge(whole) else { return print("TasksTests: no python3 here") }
        let divided = try CommandUnderTest(copying: whole.folder)
        defer { divided.remove() }
        let expected = try whole.run("run", "\(pipeline).yaml", "--state", "state", "--progress", "none")
        #expect(expected.status == 3, "\(expected.error)")
        let arguments = ["plan", "\(pipeline).yaml", "--tasks", "\(count)", "--split", "1MiB", "--plan", "plan", "--state", "state"]
        #expect(try divided.run(arguments).status == 0)
        let tasks = try divided.text(of: "plan/inputs.jsonl").split(separator: "\n")
        #expect(tasks.count == count)
        #expect(tasks.count { $0.contains("\"start\":{") } >= 1, "no file was divided")
        for task in (0..<count).shuffled() {
            let done = try divided.run("task", "plan", "--index", "\(task)", "--progress", "none", "--workers", "\(1 + task % 3)")
            #expect(done.status == 0, "\(done.error)")
        }
        // The same plan once more.
        let again = try divided.run(arguments)
        #expect(again.status == 0 && again.error.contains("the plan is there already"), "\(again.error)")
        let gathered = try divided.run("gather", "plan", "--progress", "none")
        #expect(gathered.status == 3, "\(gathered.error)")
        #expect(try divided.contents() == whole.contents())
        #expect(try divided.report() == whole.report())
        let audit = try divided.run("audit", "state/report.json", "--with", "\(pipeline).yaml")
        #expect(audit.status == 0, "\(audit.output)\(audit.error)")
    }

    @Test("a large file without places to begin in its middle stays whole, and the plan says so")
    func undivided() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        guard try Self.prepareLarge(command) else { return print("TasksTests: no python3 here") }
        let source = "{files: whole.jsonl.gz, format: jsonl}"
        try command.write("name: whole\nsource: \(source)\nsink: {file: out/all.jsonl}\n", to: "whole.yaml")
        let plan = try command.run("plan", "whole.yaml", "--tasks", "3", "--split", "1MiB", "--plan", "plan")
        #expect(plan.status == 0)
        #expect(plan.error.contains("sluice: 'whole.jsonl.gz' is not divided: there is no place in it, or too few, where decompression can begin\n"))
        #expect(plan.error.contains("planned: 3 tasks for 1 input with "))
        try command.write("name: whole\nsource: {files: in/a.jsonl.gz, format: lines, encoding: latin1}\nsink: {file: out/all.jsonl}\n", to: "whole.yaml")
        let other = try command.run("plan", "whole.yaml", "--tasks", "3", "--split", "1MiB", "--plan", "other")
        #expect(other.error.contains("'in/a.jsonl.gz' is not divided: its encoding is not UTF-8"), "\(other.error)")
        let wrong = try command.run("plan", "whole.yaml", "--tasks", "3", "--split", "many", "--plan", "other")
        #expect(wrong.status == 2 && wrong.error.contains("'--split' must be a size of at least 1MiB"), "\(wrong.error)")
    }

    @Test("types are inferred from the run's first input, by tasks and by gathering")
    func inferredTypes() throws {
        let whole = try CommandUnderTest()
        defer { whole.remove() }
        try whole.write("n,day\n1,2026-01-01\n2,2026-01-02\n", to: "in/a.csv")
        try whole.write("n,day\n003,2026-01-03\nx4,2026-01-04\n", to: "in/b.csv")
        try whole.write(
            """
            name: inferred
            source: {files: 'in/*.csv', format: {csv: {types: infer}}}
            stages: [{set: {m: n * 2}}, {dedupe: {by: day}}, {set: {half: n / 2}}]
            sink: {file: out/all.jsonl}

            """, to: "inferred.yaml")
        let divided = try CommandUnderTest(copying: whole.folder)
        defer { divided.remove() }
        let expected = try whole.run("run", "inferred.yaml", "--state", "state")
        #expect(try divided.run("plan", "inferred.yaml", "--tasks", "2", "--plan", "plan", "--state", "state").status == 0)
        for task in 0...1 { #expect(try divided.run("task", "plan", "--index", "\(task)").status == 0) }
        #expect(try divided.run("gather", "plan").status == expected.status)
        #expect(try divided.contents() == whole.contents())
        #expect(try divided.report() == whole.report())
        #expect(try whole.text(of: "out/all.jsonl").contains("\"half\":1"))
    }

    @Test("GNU parallel does the tasks, with the index that a Kubernetes Indexed Job gives")
    func parallel() throws {
        let whole = try CommandUnderTest()
        defer { whole.remove() }
        try Self.prepare(whole)
        let divided = try CommandUnderTest(copying: whole.folder)
        defer { divided.remove() }
        #expect(try whole.run("run", "divided.yaml", "--state", "state", "--progress", "none").status == 3)
        let done = try divided.shell(
            """
            sluice plan divided.yaml --tasks 5 --plan plan --state state &&
            seq 0 4 | parallel --will-cite -j 2 JOB_COMPLETION_INDEX={} sluice task plan --progress none &&
            mkdir elsewhere && cd elsewhere && sluice gather ../plan --progress none
            """)
        #expect(done.status == 3, "\(done.error)")
        #expect(try divided.contents() == whole.contents())
    }

    @Test("a task that is done is not done again, and of two attempts at once one counts")
    func twice() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try Self.prepare(command)
        #expect(try command.run("plan", "divided.yaml", "--tasks", "2", "--plan", "plan").status == 0)
        let attempts = try (0..<4).map { _ in try command.start(nil, ["task", "plan", "--index", "0"]) }
        let results = try attempts.map { try $0.finish() }
        #expect(results.allSatisfy { $0.status == 0 }, "\(results.map(\.error))")
        #expect(results.count { $0.error.contains("task 0 is done: ") } == 1)
        let again = try command.run("task", "plan", "--index", "0")
        #expect(again.status == 0)
        #expect(again.error == "sluice: task 0 is done already\n")
        #expect(try FileManager.default.contentsOfDirectory(atPath: command.folder.appending(path: "plan/attempts").path) == [])
        let missing = try command.run("gather", "plan")
        #expect(missing.status == 1)
        #expect(missing.error == "sluice: task 1 of 2 is not done; run 'sluice task' for it\n")
        #expect(try command.run("task", "plan", "--index", "2").status == 2)
    }

    @Test("several processes may make the same plan at once, and one goes on after another was killed")
    func plansAtOnce() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try Self.prepare(command)
        for round in 0..<5 {
            let plans = try (0..<4).map { _ in try command.start(nil, ["plan", "divided.yaml", "--tasks", "3", "--plan", "plan\(round)"]) }
            let results = try plans.map { try $0.finish() }
            #expect(results.allSatisfy { $0.status == 0 }, "\(results.map(\.error))")
            let names = try FileManager.default.contentsOfDirectory(atPath: command.folder.appending(path: "plan\(round)").path)
            #expect(names.sorted() == ["attempts", "inputs.index", "inputs.jsonl", "plan.json", "tasks"])
        }
        let killed = try command.shell("mkdir -p killed/tasks killed/attempts && echo x > killed/inputs.jsonl.1f && echo x > killed/inputs.jsonl")
        #expect(killed.status == 0)
        #expect(try command.run("plan", "divided.yaml", "--tasks", "3", "--plan", "killed").status == 0)
        #expect(try command.run("task", "killed", "--index", "2").status == 0)
        let mine = try command.shell("mkdir -p mine/tasks && echo x > mine/tasks/x && sluice plan divided.yaml --tasks 3 --plan mine")
        #expect(mine.status == 1)
        #expect(mine.error.contains("is not empty, and has no plan; use a new folder"), "\(mine.error)")
    }

    /// Kills attempts at a task, does all tasks, and kills gatherings, each at several moments.
    private static func kill(_ divided: CommandUnderTest, tasks: Int, gatherings: Int) throws {
        func killed(_ arguments: [String], after milliseconds: Int) throws {
            let process = try divided.start(nil, arguments + ["--progress", "none"])
            poll(nil, 0, Int32(milliseconds))
            process.signal(SIGKILL)
            _ = try process.finish()
        }
        for round in 0..<6 { try killed(["task", "plan", "--index", "0"], after: 5 + round * 17) }
        for task in 0..<tasks { #expect(try divided.run("task", "plan", "--index", "\(task)").status == 0) }
        for round in 0..<gatherings { try killed(["gather", "plan"], after: 5 + round * 23) }
    }

    @Test("killed attempts and a killed gathering leave nothing that counts")
    func killed() throws {
        let whole = try CommandUnderTest()
        defer { whole.remove() }
        try Self.prepare(whole)
        let divided = try CommandUnderTest(copying: whole.folder)
        defer { divided.remove() }
        #expect(try whole.run("run", "divided.yaml", "--state", "state", "--progress", "none").status == 3)
        #expect(try divided.run("plan", "divided.yaml", "--tasks", "2", "--plan", "plan", "--state", "state").status == 0)
        try Self.kill(divided, tasks: 2, gatherings: 6)
        #expect(try divided.run("gather", "plan", "--progress", "none").status == 3)
        #expect(try divided.contents() == whole.contents())
    }

    /// As ``prepare(_:)``, with outputs in parts by task: partitions with headers, one that most
    /// tasks have no records for, one that gathering writes; and others beside them.
    private static func prepareParts(_ command: CommandUnderTest) throws {
        try prepare(command)
        try command.write(
            """
            name: parts
            source: {files: 'in/*.jsonl.gz', format: jsonl, max_record: 4KiB}
            stages:
              - set: {m: n * 2, file: source.file, line: source.line}
            match: all
            routes:
              - name: partitions
                when: n % 3 == 0
                stages: [{select: [n, k, m, file, line]}]
                sink: {file: "out/k={k}/part.csv.gz", part: task}
              - name: all
                sink:
                  - {file: out/all.jsonl.gz, part: task}
                  - {file: out/plain.jsonl, part: task}
                  - {file: out/joined.jsonl.gz}
                  - {file: out/piece.jsonl.gz, part: 40KB}
              - name: few
                when: n % 50 == 7
                stages: [{select: [n, file]}]
                sink: {file: ./out//few.tsv.zst, part: task}
              - name: sums
                stages: [{summarize: {by: {k: k}, values: {n: count(), total: sum(m)}}}]
                sink: {file: out/sums.jsonl, part: task}
            dead_letter: out/dead.jsonl.gz

            """, to: "parts.yaml")
    }

    /// As ``prepareParts(_:)``, with parts that are limited in size, too.
    private static func prepareLimited(_ command: CommandUnderTest) throws {
        try prepare(command)
        try command.write(
            """
            name: limited
            source: {files: 'in/*.jsonl.gz', format: jsonl, max_record: 4KiB}
            stages:
              - set: {m: n * 2, file: source.file, line: source.line}
            match: all
            routes:
              - name: partitions
                when: n % 3 == 0
                stages: [{select: [n, k, m, file, line]}]
                sink: {file: "out/k={k}/part.csv.gz", part: {by: task, records: 50}}
              - name: all
                sink:
                  - {file: out/all.jsonl.gz, part: {by: task, bytes: 40KB}}
                  - {file: out/joined.jsonl.gz}
                  - {file: out/piece.jsonl.gz, part: 40KB}
              - name: few
                when: n % 50 == 7
                stages: [{select: [n, file]}]
                sink: {file: ./out//few.tsv.zst, part: {by: task, bytes: 200, records: 1000}}
              - name: sums
                stages: [{summarize: {by: {k: k}, values: {n: count(), total: sum(m)}}}]
                sink: {file: out/sums.jsonl, part: {by: task, records: 2}}
            dead_letter: out/dead.jsonl.gz

            """, to: "limited.yaml")
    }

    /// The texts of the outputs, joined from their parts in the order of the names. Those with
    /// headers are without them.
    private static func joined(_ command: CommandUnderTest, isLimited: Bool = false) throws -> [String] {
        let joined = try command.shell(
            """
            export LC_ALL=C && cd out && gzip -dc all-*.jsonl.gz | sha256sum && \(isLimited ? "" : "cat plain-*.jsonl | sha256sum && ")
            gzip -dc joined.jsonl.gz | sha256sum && gzip -dc piece-*.jsonl.gz | sha256sum && for file in few-*.tsv.zst; do zstd -dcq $file | sed 1d; done | sha256sum &&
            cat sums-*.jsonl | sha256sum && sha256sum < dead.jsonl.gz &&
            for folder in k=*; do for file in $folder/part-*.csv.gz; do gzip -dc $file | sed 1d; done | sha256sum; done
            """)
        #expect(joined.status == 0 && joined.error == "", "\(joined)")
        return joined.output.split(separator: "\n").map(String.init)
    }

    private static func names(_ command: CommandUnderTest, in folder: String, with beginning: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: command.folder.appending(path: folder).path).filter { $0.hasPrefix(beginning) }.sorted()
    }

    @Test("parts by task are together the output of one process, with any number of tasks, done in any order", arguments: [1, 2, 7, 64])
    func parts(count: Int) throws {
        let whole = try CommandUnderTest()
        defer { whole.remove() }
        try Self.prepareParts(whole)
        let divided = try CommandUnderTest(copying: whole.folder)
        defer { divided.remove() }
        #expect(try whole.run("run", "parts.yaml", "--state", "state", "--progress", "none").status == 3)
        let expected = try Self.joined(whole)
        #expect(expected.count == 12 && Set(expected).count == 9, "four outputs have all records: \(expected)")
        #expect(expected[0] == expected[2])
        #expect(try Self.names(whole, in: "out", with: "all-") == ["all-00001.jsonl.gz"])

        #expect(try divided.run("plan", "parts.yaml", "--tasks", "\(count)", "--plan", "plan", "--state", "state").status == 0)
        for task in (0..<count).shuffled() {
            let done = try divided.run("task", "plan", "--index", "\(task)", "--progress", "none", "--workers", "\(1 + task % 3)")
            #expect(done.status == 0, "\(done.error)")
        }
        #expect(!FileManager.default.fileExists(atPath: divided.folder.appending(path: "out").path))
        let gathered = try divided.run("gather", "plan", "--progress", "none")
        #expect(gathered.status == 3, "\(gathered.error)")
        #expect(!gathered.error.contains("not of this run"), "\(gathered.error)")
        #expect(try Self.joined(divided) == expected)
        for (name, ending) in [("all", "jsonl.gz"), ("plain", "jsonl"), ("few", "tsv.zst")] {
            let names = (1...count).map { number in "\(name)-\("0000\(number)".suffix(5)).\(ending)" }
            #expect(try Self.names(divided, in: "out", with: "\(name)-") == names)
        }
        #expect(try Self.names(divided, in: "out", with: "sums") == ["sums-00001.jsonl"])
        let heads = try divided.shell("for file in out/k=*/part-*.csv.gz; do gzip -dc $file | head -n 1; done | sort -u")
        #expect(heads.output == "n,k,m,file,line\n")
        // Not copied.
        #expect(try divided.shell("find out -name 'all-*' -links 2").output.split(separator: "\n").count == count)
        #expect(try divided.report(without: ["outputs"]) == whole.report(without: ["outputs"]))
        let audit = try divided.run("audit", "state/report.json", "--with", "parts.yaml")
        #expect(audit.status == 0, "\(audit.output)\(audit.error)")

        // Once more, over the same files.
        let again = try divided.run("gather", "plan", "--progress", "none")
        #expect(again.status == 3, "\(again.error)")
        #expect(try divided.shell("rm -r plan && find out -name '.*'").output == "")
        #expect(try Self.joined(divided) == expected)
        #expect(try divided.run("audit", "state/report.json").status == 0)
    }

    /// The size of the text of each file, and of its first line, by the output and the task in its
    /// name.
    private static func sizes(_ command: CommandUnderTest, of pattern: String) throws -> [String: [(all: Int, first: Int)]] {
        let listed = try command.shell(
            "export LC_ALL=C; for f in out/\(pattern); do echo $f $(gzip -dc $f | wc -c) $(gzip -dc $f | head -n 1 | wc -c) $(gzip -dc $f | wc -l); done")
        var sizes: [String: [(all: Int, first: Int)]] = [:]
        for line in listed.output.split(separator: "\n") {
            let words = line.split(separator: " ")
            let name = words[0].split(separator: "-")
            let isRows = words[0].contains(".csv")
            sizes[name.dropLast().joined(separator: "-"), default: []].append((try #require(Int(words[isRows ? 3 : 1])), try #require(Int(words[2]))))
            #expect(name[name.endIndex - 1].prefix { $0 != "." } == "000\(sizes[name.dropLast().joined(separator: "-")]?.count ?? 0)".suffix(4), "\(line)")
        }
        return sizes
    }

    @Test("parts by task of limited size are full but for each task's last, and together the output of one process", arguments: [1, 3, 7, 64])
    func limitedParts(count: Int) throws {
        let whole = try CommandUnderTest()
        defer { whole.remove() }
        try Self.prepareLimited(whole)
        let divided = try CommandUnderTest(copying: whole.folder)
        defer { divided.remove() }
        #expect(try whole.run("run", "limited.yaml", "--state", "state", "--progress", "none").status == 3)
        let expected = try Self.joined(whole, isLimited: true)
        #expect(expected.count == 11 && expected[0] == expected[1] && expected[0] == expected[2], "\(expected)")

        #expect(try divided.run("plan", "limited.yaml", "--tasks", "\(count)", "--plan", "plan", "--state", "state").status == 0)
        for task in (0..<count).shuffled() {
            let done = try divided.run("task", "plan", "--index", "\(task)", "--progress", "none", "--workers", "\(1 + task % 3)")
            #expect(done.status == 0, "\(done.error)")
        }
        let gathered = try divided.run("gather", "plan", "--progress", "none")
        #expect(gathered.status == 3, "\(gathered.error)")
        #expect(!gathered.error.contains("not of this run"), "\(gathered.error)")
        #expect(try Self.joined(divided, isLimited: true) == expected)
        #expect(try divided.report(without: ["outputs"]) == whole.report(without: ["outputs"]))
        let audit = try divided.run("audit", "state/report.json", "--with", "limited.yaml")
        #expect(audit.status == 0, "\(audit.output)\(audit.error)")

        for (command, tasks) in [(whole, 1), (divided, count)] {
            let sizes = try Self.sizes(command, of: "all-*.jsonl.gz")
            #expect(sizes.keys.sorted() == (1...tasks).map { "out/all-\("0000\($0)".suffix(5))" })
            for files in sizes.values {
                #expect(files.allSatisfy { $0.all <= 40_000 })
                for (file, next) in zip(files, files.dropFirst()) { #expect(file.all + next.first > 40_000) }
            }
            // With the header.
            let rows = try Self.sizes(command, of: "k=*/part-*.csv.gz")
            for files in rows.values { #expect(files.dropLast().allSatisfy { $0.all == 51 } && (2...51).contains(files.last?.all ?? 0), "\(files)") }
            #expect(try Self.names(command, in: "out", with: "sums") == (1...3).map { "sums-00001-000\($0).jsonl" })
        }
        if count == 1 {
            // One task is what 'run' is.
            #expect(try divided.contents() == whole.contents())
            #expect(try divided.report() == whole.report())
        }

        // Once more, with another limit and without tasks: what is left is named.
        let other = try divided.shell("sed 's/bytes: 40KB/bytes: 4MB/' limited.yaml > other.yaml && sluice run other.yaml --state state --progress none")
        #expect(other.status == 3)
        if count == 1 { #expect(other.error.contains("'out/all-00001-0002.jsonl.gz' and "), "\(other.error)") }
        #expect(other.error.contains(" other parts are not of this run; remove what an earlier one has left"), "\(other.error)")
    }

    @Test("what is done by tasks and what by gathering is said before anything runs")
    func partsToBe() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try Self.prepareParts(command)
        #expect(
            try command.run("check", "parts.yaml", "--on", "yarn").output == """
                parts.yaml: ok
                  tasks read the inputs, run the stages and encode the outputs; each writes a part of 'out/k={k}/part.csv.gz', 'out/all.jsonl.gz', \
                'out/plain.jsonl', './out//few.tsv.zst'; gathering writes, as one task, 'out/sums.jsonl'
                  each input is read by one task; --split divides large ones where decompression can begin

                """)
        let explained = try command.run("explain", "parts.yaml").output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        #expect(explained.contains("writes out/plain.jsonl in parts, one for each task, as jsonl, order: input"), "\(explained)")
        #expect(explained.contains("writes out/piece.jsonl.gz as jsonl, order: input"), "\(explained)")
        let other = try CommandUnderTest()
        defer { other.remove() }
        try Self.prepareLimited(other)
        let limited = try other.run("explain", "limited.yaml").output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        #expect(limited.contains("writes out/all.jsonl.gz in parts of limited size from each task, as jsonl, order: input"), "\(limited)")
    }

    @Test("killed attempts and a killed gathering leave no parts that count, and none that stay", arguments: [false, true])
    func killedParts(isLimited: Bool) throws {
        let whole = try CommandUnderTest()
        defer { whole.remove() }
        if isLimited { try Self.prepareLimited(whole) } else { try Self.prepareParts(whole) }
        let file = isLimited ? "limited.yaml" : "parts.yaml"
        let divided = try CommandUnderTest(copying: whole.folder)
        defer { divided.remove() }
        #expect(try whole.run("run", file, "--state", "state", "--progress", "none").status == 3)
        #expect(try divided.run("plan", file, "--tasks", "3", "--plan", "plan", "--state", "state").status == 0)
        try Self.kill(divided, tasks: 3, gatherings: 8)
        #expect(try divided.run("gather", "plan", "--progress", "none").status == 3)
        #expect(try Self.joined(divided, isLimited: isLimited) == Self.joined(whole, isLimited: isLimited))
        #expect(try divided.shell("find out -name '.*'").output == "")
        let audit = try divided.run("audit", "state/report.json", "--with", file)
        #expect(audit.status == 0, "\(audit.output)\(audit.error)")
    }

    @Test("parts that were changed, or would be inputs, are refused and nothing is published; parts of other runs stay, and are named")
    func refusedParts() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write("{\"n\":1}\n", to: "in/a.jsonl")
        try command.write("{\"n\":2}\n{\"n\":3}\n", to: "in/b-00002.jsonl")
        let plan: (String, Int) throws -> CommandUnderTest.Result = { sink, tasks in
            _ = try command.shell("rm -rf plan")
            try command.write("name: two\nsource: {files: 'in/*.jsonl', format: jsonl}\nsink: {file: \(sink), part: task}\n", to: "two.yaml")
            let made = try command.run("plan", "two.yaml", "--tasks", "\(tasks)", "--plan", "plan")
            for task in 0..<tasks { #expect(try command.run("task", "plan", "--index", "\(task)").status == 0) }
            return made
        }
        // Only records name it, so that it is known no earlier.
        #expect(try plan("\"in/{n > 0 ? 'b' : 'c'}.jsonl\"", 2).status == 0)
        let input = try command.run("gather", "plan")
        #expect(input.status == 1)
        #expect(input.error.contains("'in/b-00002.jsonl' is also an input"), "\(input.error)")
        #expect(try Self.names(command, in: "in", with: "") == ["a.jsonl", "b-00002.jsonl"])

        #expect(try plan("out/all.jsonl", 2).status == 0)
        #expect(try command.shell("printf x >> plan/tasks/00001/outputs/0-0").status == 0)
        let changed = try command.run("gather", "plan")
        #expect(changed.status == 1)
        #expect(changed.error.contains("plan/tasks/00001/outputs/0-0' is not as the task wrote it; remove that task's folder"), "\(changed.error)")
        #expect(!FileManager.default.fileExists(atPath: command.folder.appending(path: "out").path))
        #expect(try command.shell("rm -r plan/tasks/00001 && sluice task plan --index 1 && sluice gather plan").status == 0)
        // The larger input is that of the first task, but not the first input.
        #expect(try command.text(of: "out/all-00001.jsonl") == "{\"n\":1}\n")
        #expect(try command.text(of: "out/all-00002.jsonl") == "{\"n\":2}\n{\"n\":3}\n")

        try command.write("mine", to: "out/all-00000x.jsonl")
        try command.write("older", to: "out/all-00007.jsonl")
        #expect(try plan("out/all.jsonl", 1).status == 0)
        let fewer = try command.run("gather", "plan")
        #expect(fewer.status == 0)
        #expect(fewer.error.contains("'out/all-00002.jsonl' and 1 other part are not of this run; remove what"), "\(fewer.error)")
        #expect(try command.text(of: "out/all-00001.jsonl") == "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n")
        #expect(try command.shell("rm out/all-00007.jsonl").status == 0)
        let run = try command.run("run", "two.yaml", "--progress", "none")
        #expect(run.error.contains("'out/all-00002.jsonl' is not of this run; remove what"), "\(run.error)")
    }

    /// The sinks; the number of tasks; why they are refused, or nothing.
    private static let partsThatMeet: [(String, Int, String)] = [
        ("{file: in/b.jsonl, part: task}", 2, "sink: 'in/b-00002.jsonl' is also an input; write to another file"),
        ("{file: in/b.jsonl, part: task}", 1, ""),
        ("{file: ./in//b.jsonl, part: {by: task}}", 400, "sink: 'in/b-00002.jsonl' is also an input; write to another file"),
        ("{file: in/c.jsonl, part: {by: task, records: 5}}", 2, "sink: 'in/c-00001-0003.jsonl' is also an input; write to another file"),
        ("{file: in/c.jsonl, part: task}", 2, ""),
        ("[{file: out/a.jsonl, part: task}, {file: out/a-00002.jsonl}]", 2, "sink: 'out/a-00002.jsonl' is the file of another sink; write to another file"),
        ("[{file: out/a.jsonl, part: task}, {file: out/a-00002.jsonl}]", 1, ""),
        ("{file: link.jsonl, part: task}", 3, "sink: 'link-00003.jsonl' is the input 'in/a.jsonl'"),
        ("{file: out/a.jsonl, part: task}\ndead_letter: out/a-00003.jsonl", 3, "sink: 'out/a-00003.jsonl' is the dead-letter file"),
        ("{file: two.yaml, part: task}", 3, ""),
    ]

    @Test("parts that would be inputs or other files of the run are refused before anything is planned", arguments: partsThatMeet.indices)
    func meetingParts(index: Int) throws {
        let (sinks, tasks, message) = Self.partsThatMeet[index]
        let command = try CommandUnderTest()
        defer { command.remove() }
        for name in ["a", "b-00002", "c-00001-0003"] { try command.write("{\"n\":1}\n", to: "in/\(name).jsonl") }
        #expect(try command.shell("ln -s in/a.jsonl link-00003.jsonl").status == 0)
        try command.write("name: two\nsource: {files: 'in/*.jsonl', format: jsonl}\nsink: \(sinks)\n", to: "two.yaml")
        let arguments = ["two.yaml", "--tasks", "\(tasks)", "--plan", "plan"]
        for arguments in [["plan"] + arguments, ["run"] + arguments + ["--on", "local[2]", "--print-submit"]] {
            let result = try command.run(arguments)
            #expect(result.status == (message.isEmpty ? 0 : 2), "\(result.error)")
            if !message.isEmpty { #expect(result.error.hasPrefix("sluice: \(message)"), "\(result.error)") }
            #expect(FileManager.default.fileExists(atPath: command.folder.appending(path: "plan").path) == message.isEmpty)
        }
    }

    @Test("parts are copied to another file system, and compared")
    func copiedParts() throws {
        let command = try CommandUnderTest()
        let other = URL(filePath: "/dev/shm/sluice-test-\(UUID().uuidString)")
        defer {
            command.remove()
            try? FileManager.default.removeItem(at: other)
        }
        let devices = try command.shell("stat -c %d . /dev/shm").output.split(separator: "\n")
        guard devices.count == 2, devices[0] != devices[1] else { return print("TasksTests: no other file system here") }
        try command.write("{\"n\":1}\n", to: "in/a.jsonl")
        try command.write("{\"n\":2}\n{\"n\":3}\n", to: "in/b.jsonl")
        try command.write("name: two\nsource: {files: 'in/*.jsonl', format: jsonl}\nsink: {file: \(other.path)/all.jsonl, part: task}\n", to: "two.yaml")
        #expect(try command.run("plan", "two.yaml", "--tasks", "2", "--plan", "plan").status == 0)
        for task in 0...1 { #expect(try command.run("task", "plan", "--index", "\(task)").status == 0) }
        let changed = try command.shell("cp plan/tasks/00001/outputs/0-0 saved && printf '{\"n\":4}\\n' > plan/tasks/00001/outputs/0-0 && sluice gather plan")
        #expect(changed.status == 1)
        #expect(changed.error.contains("plan/tasks/00001/outputs/0-0 was changed since a task wrote it"), "\(changed.error)")
        #expect(!FileManager.default.fileExists(atPath: other.path))
        let gathered = try command.shell("cat saved > plan/tasks/00001/outputs/0-0 && sluice gather plan && cat \(other.path)/all-*.jsonl")
        #expect(gathered.status == 0, "\(gathered.error)")
        #expect(gathered.output == "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n")
        #expect(try command.run("audit", ".sluice/two/report.json").status == 0)
    }

    @Test("a changed input, another plan and changed results are refused by name")
    func refused() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write("{\"n\":1}\n", to: "in/a.jsonl")
        try command.write("{\"n\":2}\n{\"n\":3}\n", to: "in/b.jsonl")
        try command.write("name: two\nsource: {files: 'in/*.jsonl', format: jsonl}\nsink: {file: out/all.jsonl}\n", to: "two.yaml")
        let plan: (Int) throws -> CommandUnderTest.Result = { tasks in try command.run("plan", "two.yaml", "--tasks", "\(tasks)", "--plan", "plan") }
        #expect(try plan(2).status == 0)
        #expect(try plan(2).error.hasPrefix("sluice: the plan is there already: 2 tasks"))
        let other = try plan(3)
        #expect(other.status == 1)
        #expect(other.error.contains("has another plan: its definition, parameters, inputs or number of tasks differ"))
        #expect(try command.run("task", "plan", "--index", "0").status == 0)
        try command.write("{\"n\":4}\n", to: "in/a.jsonl")
        try command.write("x\n", to: "mine/file")
        let mine = try command.run("plan", "two.yaml", "--tasks", "2", "--plan", "mine")
        #expect(mine.error.contains("is not empty, and has no plan; use a new folder"))
        let stale = try command.run("task", "plan", "--index", "1")
        #expect(stale.status == 1)
        #expect(stale.error == "sluice: 'in/a.jsonl' was modified since the plan was made; make a new one ('sluice plan'), in another folder\n")
        #expect(try FileManager.default.contentsOfDirectory(atPath: command.folder.appending(path: "plan/attempts").path) == [])

        try FileManager.default.removeItem(at: command.folder.appending(path: "plan"))
        #expect(try plan(2).status == 0)
        for task in 0...1 { #expect(try command.run("task", "plan", "--index", "\(task)").status == 0) }
        let batches = command.folder.appending(path: "plan/tasks/00001/batches")
        var bytes = try Data(contentsOf: batches)
        bytes[bytes.count / 2] ^= 1
        try bytes.write(to: batches)
        let damaged = try command.run("gather", "plan")
        #expect(damaged.status == 1)
        #expect(damaged.error.contains("plan/tasks/00001/batches"), "\(damaged.error)")
        #expect(damaged.error.contains("it was changed since it was written"), "\(damaged.error)")
        #expect(!FileManager.default.fileExists(atPath: command.folder.appending(path: "out/all.jsonl").path))
        try FileManager.default.removeItem(at: command.folder.appending(path: "plan/tasks/00001"))
        #expect(try command.run("task", "plan", "--index", "1").status == 0)
        #expect(try command.run("gather", "plan").status == 0)
        #expect(try command.text(of: "out/all.jsonl") == "{\"n\":4}\n{\"n\":2}\n{\"n\":3}\n")
    }

    @Test("what only one process can read, and what depends on earlier runs, is refused before anything is planned")
    func undividable() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write("{\"n\":1}\n", to: "a.jsonl")
        try command.write("name: new\nsource: {files: [a.jsonl, '-'], format: jsonl, new_only: true}\nsink: {file: out/all.csv}\n", to: "new.yaml")
        let plan = try command.run("plan", "new.yaml", "--tasks", "2", "--plan", "plan")
        #expect(plan.status == 2)
        #expect(
            plan.error == """
                sluice: this run cannot be divided into tasks: standard input can only be read by one process; read files
                sluice: this run cannot be divided into tasks: 'new_only' depends on earlier runs; list the files to read

                """)
        #expect(!FileManager.default.fileExists(atPath: command.folder.appending(path: "plan").path))
    }
}

extension CommandUnderTest {
    /// The text of every file in `out`, and of the dead letters in `state`, by path.
    func contents() throws -> [String: Data] {
        var files: [String: Data] = [:]
        for top in ["out", "state"] {
            let names = FileManager.default.enumerator(atPath: folder.appending(path: top).path)?.allObjects as? [String] ?? []
            for name in names where !["report.json", "samples.json"].contains(name) {
                let file = folder.appending(path: "\(top)/\(name)")
                guard try file.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile == true else { continue }
                files["\(top)/\(name)"] = try Data(contentsOf: file)
            }
        }
        return files
    }

    /// The report without what differs from run to run: times and workers.
    func report(without others: [String] = []) throws -> NSDictionary {
        let data = try Data(contentsOf: folder.appending(path: "state/report.json"))
        var report = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        for key in ["elapsed_seconds", "digest"] + others { report[key] = nil }
        report["stages"] = (report["stages"] as? [[String: Any]])?.map { stage in stage.filter { !["busy_seconds", "workers"].contains($0.key) } }
        return report as NSDictionary
    }
}
