import Foundation
import Glibc
import Testing

/// Inputs behind addresses. `file://` takes the same way as `s3://`: through a Python process.
@Suite("Inputs behind addresses", .timeLimit(Patience.hang))
struct AddressTests {
    /// Archives of several kinds, large and empty, damaged and cut, and what reads them from `from`
    /// and writes to `to`.
    static func prepare() throws -> CommandUnderTest {
        let command = try CommandUnderTest()
        try command.write(
            """
            import gzip, io, os, random, tarfile
            random.seed(7)
            def lines(count, seed):
                for n in range(count):
                    number = (n * 7919 + seed) % 100003
                    yield 'not json %d\\n' % number if number % 997 == 0 else '{"n":%d,"k":"%d","text":"%x"}\\n' % (number, number % 5, random.getrandbits(1200))
            def text(count, seed): return ''.join(lines(count, seed)).encode()
            def write(name, data): open(name, 'wb').write(data)
            os.makedirs('in'); os.makedirs('tar')
            members = b''.join(gzip.compress(text(2000, seed), 1) for seed in range(3))
            write('in/a.jsonl.gz', members)
            write('in/b.jsonl', text(9000, 11))
            damaged = bytearray(members)
            damaged[300000:303000] = random.randbytes(3000)
            write('in/c.jsonl.gz', damaged[:-700])
            write('in/d.jsonl', b'')
            write('in/e #1.jsonl.gz', gzip.compress(b''))
            write('in/f.jsonl.gz', gzip.compress(text(40, 12)))
            with tarfile.open('tar/all.tar.gz', 'w:gz') as tar: tar.add('in/b.jsonl'); tar.add('in/a.jsonl.gz')

            """, to: "make.py")
        #expect(try command.shell("python3 make.py").status == 0)
        try command.write(
            """
            name: places
            params: {from: , to: }
            source: {files: '${from}/in/*', format: jsonl}
            stages: [{set: {m: n * 2, file: source.file, line: source.line}}]
            match: all
            routes:
              - name: some
                when: n % 3 == 0
                sink: {file: "${to}/k={k}/part.csv.gz", format: {csv: {columns: [n, k, m, file, line]}}}
              - name: all
                sink: {file: '${to}/all.jsonl'}
              - name: sums
                stages: [{summarize: {by: {k: k}, values: {n: count(), total: sum(m), most: 'top(file, 2)'}}}]
                sink: {file: '${to}/sums.jsonl'}
            dead_letter: ${to}/dead.jsonl.gz
            # What is read is committed before all is read.
            limits: {memory: 16MiB}

            """, to: "places.yaml")
        return command
    }

    /// The arguments of a run of the files themselves, or of what is behind addresses.
    static func arguments(_ command: CommandUnderTest, _ to: String, from: String? = nil) -> [String] {
        ["places.yaml", "--set", "from=\(from ?? "file://\(command.folder.path)")", "--set", "to=\(to)", "--state", "\(to)-state"]
    }

    static func runFiles(_ command: CommandUnderTest) throws {
        let result = try command.run(["run"] + arguments(command, "files", from: command.folder.path) + ["--progress", "none"])
        #expect(result.status == 3, "\(result.error)")
    }

    /// Compares with the run of the files, whose names, and so the definition, differ.
    static func expectSame(_ command: CommandUnderTest, _ to: String, from: String? = nil) throws {
        let from = from ?? "file://\(command.folder.path)"
        func comparable(_ text: String, _ from: String) -> String {
            text.replacing(from, with: "FROM").replacing(#/"definition":"[^"]+"/#, with: "")
        }
        let names = try command.files.filter { $0.hasPrefix("files/") }.map { String($0.dropFirst("files/".count)) }
        #expect(names.count == 8)
        for name in names {
            #expect(try comparable(command.text(of: "\(to)/\(name)"), from) == comparable(command.text(of: "files/\(name)"), command.folder.path), "\(name)")
        }
        func inputs(_ state: String) throws -> [JSONObject] { try JSONObject(command.text(of: "\(state)-state/report.json")).objects("inputs") }
        let (found, expected) = try (inputs(to), inputs("files"))
        for count in ["bytes", "members", "records", "dead"] { #expect(found.map { $0.int(count) } == expected.map { $0.int(count) }) }
        #expect(found.map { $0.objects("damage").map { $0.text("kind") } } == expected.map { $0.objects("damage").map { $0.text("kind") } })
        #expect(found.map { $0.text("file") ?? "" } == expected.map { ($0.text("file") ?? "").replacing(command.folder.path, with: from) })
        #expect(found.allSatisfy { $0.text("version") != nil && $0.text("ends") == nil && $0.bool("whole") == true })
    }

    @Test("a run, and tasks of any number, give what files give, and the audit holds")
    func same() throws {
        let command = try Self.prepare()
        defer { command.remove() }
        try Self.runFiles(command)
        let run = try command.run(["run"] + Self.arguments(command, "run") + ["--progress", "none"])
        #expect(run.status == 3, "\(run.error)")
        try Self.expectSame(command, "run")
        for (count, options) in [(1, []), (2, []), (7, []), (7, ["--split", "1MiB"])] {
            let to = "tasks\(count)\(options.count)"
            let plan = try command.run(["plan"] + Self.arguments(command, to) + ["--tasks", "\(count)", "--plan", "plan-\(to)"] + options)
            #expect(plan.status == 0, "\(plan.error)")
            for task in (0..<count).shuffled() {
                let done = try command.run("task", "plan-\(to)", "--index", "\(task)", "--progress", "none")
                #expect(done.status == 0, "\(done.error)")
            }
            #expect(try command.run("gather", "plan-\(to)", "--progress", "none").status == 3)
            try Self.expectSame(command, to)
        }
        #expect(try command.text(of: "plan-tasks72/inputs.jsonl").contains(#""start":{"#))
        let audit = try command.run("audit", "tasks72-state/report.json")
        #expect(audit.status == 0, "\(audit.output)\(audit.error)")
        let shown = try command.run("show", "file://\(command.folder.path)/in/b.jsonl@1")
        #expect(shown.output.hasPrefix(#"{"n":"#), "\(shown.error)")
        try command.write("other\n", to: "in/b.jsonl")
        #expect(try command.run("audit", "run-state/report.json").status == 1)
    }

    @Test("an archive of files, and a list of addresses, are read like those of files")
    func archives() throws {
        let command = try Self.prepare()
        defer { command.remove() }
        let address = "file://\(command.folder.path)/tar/all.tar.gz"
        try command.write("\(address)\n", to: "list")
        let names = [("tar/all.tar.gz", "files: tar/all.tar.gz"), (address, "files: \(address)"), (address, "files_from: list")]
        var outputs: [String] = []
        for (index, (name, source)) in names.enumerated() {
            try command.write(
                """
                name: tar
                source: {\(source), archive: tar, format: jsonl, on_damage: set_aside}
                stages: [{set: {file: source.file}}]
                sink: {file: out-\(index)}
                """, to: "tar.yaml")
            #expect(try command.run("run", "tar.yaml", "--progress", "none").status == 3)
            outputs.append(try command.text(of: "out-\(index)").replacing(name, with: "NAME"))
        }
        #expect(outputs[0].contains("NAME/in/a.jsonl.gz"))
        #expect(Set(outputs).count == 1)
    }

    @Test("a task refuses what has changed since the plan was made, and says so by name")
    func changed() throws {
        let command = try Self.prepare()
        defer { command.remove() }
        #expect(try command.run(["plan"] + Self.arguments(command, "out") + ["--tasks", "1", "--plan", "plan"]).status == 0)
        #expect(try command.shell("touch -d 2001-01-01 in/f.jsonl.gz").status == 0)
        let touched = try command.run("task", "plan", "--index", "0", "--json")
        #expect(touched.status == 1)
        #expect(touched.output.contains(#"'file://\#(command.folder.path)/in/f.jsonl.gz' was modified since the plan was made"#), "\(touched.output)")
        #expect(touched.output.contains(#""permanent":true"#))
        #expect(try command.shell("rm in/f.jsonl.gz").status == 0)
        let gone = try command.run("task", "plan", "--index", "0", "--json")
        #expect(gone.status == 1)
        #expect(gone.output.contains(#"file://\#(command.folder.path)/in/f.jsonl.gz: no such object"#), "\(gone.output)")
    }

    /// Stands between the command and its Python process.
    private static let between = """
        #!/usr/bin/env python3
        import os, subprocess, sys, threading
        child = subprocess.Popen(['python3'] + sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        def forward():
            while data := os.read(0, 1 << 16):
                if b'"op":"read"' in data and 'ON_READ' in os.environ:
                    subprocess.run(['sh', '-c', os.environ['ON_READ']], stdin=subprocess.DEVNULL, env=dict(os.environ, REQUEST=data.decode()))
                child.stdin.write(data)
                child.stdin.flush()
            os._exit(0)
        threading.Thread(target=forward, daemon=True).start()
        left = int(os.environ.get('CUT', 1 << 60))
        while left and (data := child.stdout.read1(min(left, 1 << 16))):
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
            left -= len(data)
        child.kill()
        os._exit(0)

        """

    private static func environment(_ command: CommandUnderTest, _ more: [String: String]) throws -> [String: String] {
        try command.write(between, to: "between")
        #expect(try command.shell("chmod +x between").status == 0)
        return more.merging(["SLUICE_PYTHON": command.folder.appending(path: "between").path]) { $1 }
    }

    @Test("what changes while the run reads is not read")
    func changedMeanwhile() throws {
        let command = try Self.prepare()
        defer { command.remove() }
        let environment = try Self.environment(command, ["ON_READ": "case \"$REQUEST\" in *f.jsonl*) echo x >> in/f.jsonl.gz;; esac"])
        let result = try command.run(["run"] + Self.arguments(command, "out") + ["--progress", "none"], environment: environment)
        #expect(result.status == 1)
        #expect(result.error.contains("/in/f.jsonl.gz cannot be read: it has changed: "), "\(result.error)")
        #expect(!FileManager.default.fileExists(atPath: command.folder.appending(path: "out/all.jsonl").path))
    }

    @Test(
        "a fetch that fails in the middle is neither the end nor damage",
        arguments: ["in/a.jsonl.gz", "in/b.jsonl", "tar/all.tar.gz"], ["salvage", "fail", "set_aside"])
    func cut(input: String, policy: String) throws {
        let command = try Self.prepare()
        defer { command.remove() }
        let archive = input.hasPrefix("tar") ? "archive: tar, " : ""
        try command.write(
            """
            name: cut
            source: {files: 'file://\(command.folder.path)/\(input)', \(archive)format: jsonl, on_damage: \(policy)}
            sink: {file: out.jsonl}
            """, to: "cut.yaml")
        #expect(try command.run("plan", "cut.yaml", "--tasks", "1", "--plan", "plan", "--state", "gathered").status == 0)
        for bytes in ["1000", "400000", "900000"] {
            let environment = try Self.environment(command, ["CUT": bytes])
            let why = "/\(input) cannot be read: the Python process that fetches it has ended unexpectedly"
            let result = try command.run(["run", "cut.yaml", "--progress", "none"], environment: environment)
            #expect(result.status == 1)
            #expect(result.error.contains(why), "\(result.error)")
            #expect(!FileManager.default.fileExists(atPath: command.folder.appending(path: "out.jsonl").path))
            let task = try command.run(["task", "plan", "--index", "0", "--json"], environment: environment)
            #expect(task.status == 1)
            #expect(task.output.contains(why) && task.output.contains(#""permanent":false"#), "\(task.output)")
        }
        #expect(try command.run("task", "plan", "--index", "0").status == 0)
        #expect(try command.run("gather", "plan", "--progress", "none").status == 3)
        #expect(try command.text(of: "out.jsonl").count > 1_000_000)
    }

    @Test("a run goes on from its last checkpoint after a fetch has failed, or after it was killed", arguments: [true, false])
    func resumed(isCut: Bool) throws {
        let command = try Self.prepare()
        defer { command.remove() }
        try Self.runFiles(command)
        let trouble = isCut ? ["CUT": "2500000"] : ["ON_READ": "case \"$REQUEST\" in *f.jsonl*) kill -9 $(ps -o ppid= $PPID);; esac"]
        let environment = try Self.environment(command, trouble.merging(["SLUICE_CHECKPOINT_SECONDS": "0"]) { $1 })
        let run = ["run"] + Self.arguments(command, "out") + ["--progress", "none", "--workers", "1"]
        let first = try command.run(run, environment: environment)
        #expect(first.status == (isCut ? 1 : SIGKILL))
        if isCut { #expect(first.error.contains("run again to resume"), "\(first.error)") }
        let second = try command.run(run)
        #expect(second.status == 3)
        #expect(second.error.contains("resuming the unfinished run after "), "\(second.error)")
        try Self.expectSame(command, "out")
    }

    @Test("processes that fetch end with the command, even when it is killed while they send")
    func noneLeft() throws {
        let command = try Self.prepare()
        defer { command.remove() }
        // Nobody reads the pipe, which holds 64 KiB.
        let mark = "MARK=\(UUID().uuidString)"
        let files = "--files 'file://\(command.folder.path)/in/b.jsonl' --files 'file://\(command.folder.path)/in/a.jsonl.gz'"
        let run = "exec sluice run \(files) --format jsonl --workers 2 --progress none"
        let running = try command.start(URL(filePath: "/bin/sh"), ["-c", "mkfifo pipe; exec 3<> pipe; export \(mark); \(run) >&3"])
        let process = running.process.processIdentifier
        while Self.processes(with: mark).filter({ $0 != process }).isEmpty, isRunning(process) { poll(nil, 0, 10) }
        #expect(isRunning(process))
        running.signal(SIGKILL)
        // While a process becomes another program, it has no environment, so those that were found
        // before count as well.
        let deadline = ContinuousClock.now + .seconds(60)
        var found = Self.processes(with: mark)
        while found.contains(where: isRunning), ContinuousClock.now < deadline {
            poll(nil, 0, 10)
            found += Self.processes(with: mark)
        }
        #expect(!found.contains(where: isRunning))
        #expect(try running.finish().status == SIGKILL)
    }

    /// Those that have a variable in their environment.
    private static func processes(with variable: String) -> [pid_t] {
        let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc"))?.compactMap { pid_t($0) } ?? []
        return all.filter { number in
            guard isRunning(number), let bytes = FileManager.default.contents(atPath: "/proc/\(number)/environ") else { return false }
            return bytes.range(of: Data("\(variable)\0".utf8)) != nil
        }
    }

    @Test("many small objects take a few processes")
    func manySmall() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        #expect(try command.shell("mkdir in && for i in $(seq 1000); do echo \"{\\\"n\\\":$i}\" > in/$i.jsonl; done").status == 0)
        try command.write("#!/bin/sh\necho >> starts\nexec python3 \"$@\"\n", to: "python")
        let result = try command.shell(
            """
            chmod +x python; export SLUICE_PYTHON=$PWD/python
            sluice run --files "file://$PWD/in/*" --format jsonl --workers 3 --progress none | sort -u | wc -l
            """)
        #expect(result.output == "1000\n", "\(result.error)")
        #expect((1...4).contains(try command.text(of: "starts").count))
    }

    /// A source, other environment variables, and the message; `%` is the folder.
    private static let refused: [(String, [String: String], String)] = [
        ("files: 'file://%/none'", [:], "file://%/none: no such object"),
        ("files: 'file://%/in/*.zip'", [:], "no file matches 'file://%/in/*.zip'"),
        ("files: 'file://%/in'", [:], "file://%/in is a folder; give its files: file://%/in/*"),
        ("files: 'file://host/a'", [:], "file://host/a cannot be read: a file's address has three slashes: file:///host/a"),
        ("files: 'file://%/{a'", [:], "'file://%/{a' is not a valid pattern: '{' without '}'; write '\\{' for a literal '{'"),
        ("files: 'memory://a/b'", [:], "memory://a/b cannot be read: its scheme is not supported; s3, gs, hdfs, file and others of fsspec are"),
        ("files: 'file://%/in/*', new_only: true", [:], "'new_only' is for files, not for addresses"),
        ("files: 'file://%/in/*', exclude: 'file://%/in/*'", [:], "'exclude' leaves no files to read"),
        ("files_from: list", [:], "list:2: file://%/none: no such object"),
        ("files: 's3://b/a'", ["SLUICE_PYTHON": "/no/python"], "'/no/python' cannot be started: No such file or directory; install Python with fsspec"),
        ("files: 's3://b/a'", ["SLUICE_PYTHON": "%/bare"], " has no fsspec: "),
        ("files: 's3://b/a'", ["SLUICE_PYTHON": "%/bare"], " -m pip install fsspec s3fs"),
        ("files: 's3://b/a'", ["SLUICE_PYTHON": "/bin/false"], "s3://b/a cannot be read: the Python process that fetches it has ended unexpectedly"),
    ]

    @Test("each refusal names the address and what to do", arguments: refused.indices)
    func refusals(index: Int) throws {
        let (source, environment, message) = Self.refused[index]
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write("{}\n", to: "in/a.jsonl")
        let folder = command.folder.path
        try command.write("file://\(folder)/in/a.jsonl\nfile://\(folder)/none\n", to: "list")
        // Without the packages that may be installed.
        try command.write("#!/bin/sh\nexec python3 -I -S \"$@\"\n", to: "bare")
        #expect(try command.shell("chmod +x bare").status == 0)
        try command.write("name: x\nsource: {\(source.replacing("%", with: folder)), format: jsonl}\nsink: {stdout: true}\n", to: "x.yaml")
        let result = try command.run(["check", "x.yaml"], environment: environment.mapValues { $0.replacing("%", with: folder) })
        #expect(result.status == 2)
        #expect(result.error.contains(message.replacing("%", with: folder)), "\(result.error)")
    }

    @Test("a user or password in an address is refused, and not repeated", arguments: ["key:secret@b/x", "key:secret/@b/x", "secret@b/x"])
    func secrets(address: String) throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write("name: x\nsource: {files: 's3://\(address)', format: jsonl}\nsink: {stdout: true}\n", to: "x.yaml")
        for arguments in [["run", "x.yaml"], ["check", "x.yaml", "--no-inputs"], ["plan", "x.yaml", "--tasks", "1", "--plan", "plan"]] {
            let result = try command.run(arguments)
            #expect(result.status == 2)
            #expect(result.error.hasPrefix("x.yaml: source: line 2: an address with 's3://' has a user or a password in it"), "\(result.error)")
            #expect(!(result.output + result.error).contains("secret"))
        }
        #expect(try command.files == ["x.yaml"])
    }

    @Test("checking without inputs starts no Python, and outputs cannot be addresses")
    func checked() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        let environment = ["SLUICE_PYTHON": "/no/python"]
        try command.write("name: x\nsource: {files: 's3://b/*.gz', exclude: 's3://b/*.tmp.gz', format: jsonl}\nsink: {file: out}\n", to: "x.yaml")
        let check = try command.run(["check", "x.yaml", "--no-inputs", "--on", "yarn"], environment: environment)
        #expect(check.status == 0, "\(check.error)")
        #expect(check.output.hasPrefix("x.yaml: ok\n  tasks read the inputs, run the stages and encode the outputs\n  each input is read by one task; "))
        for sink in ["sink: {file: s3://b/out}", "sink: {file: 's3://b/{k}/out'}", "sink: {file: out}\ndead_letter: s3://b/dead"] {
            try command.write("name: x\nsource: {files: 's3://b/*.gz', format: jsonl}\n\(sink)\n", to: "x.yaml")
            let result = try command.run(["check", "x.yaml", "--no-inputs"], environment: environment)
            #expect(result.status == 2)
            #expect(result.error.contains("outputs cannot be written to addresses, only to files"), "\(result.error)")
        }
    }
}
