import Foundation
import Testing

@Suite("Archives of files", .timeLimit(Patience.hang))
struct ArchiveTests {
    private static let long = "deep/" + String(repeating: "folder/", count: 20) + "long.log"

    /// Files to pack: plain, compressed, empty, with a long name, and what is no file.
    private static func prepared() throws -> CommandUnderTest {
        let command = try CommandUnderTest()
        try command.write("one\ntwo", to: "logs/a.log")
        try command.write("three\n", to: "logs/b.log")
        try command.write("", to: "logs/empty.log")
        try command.write("four\n", to: "logs/\(long)")
        #expect(try command.shell("gzip logs/b.log && ln -s a.log logs/soft && ln logs/a.log logs/z-hard && mkfifo logs/pipe && mkdir logs/sub").status == 0)
        return command
    }

    private static let names = ["a.log", "b.log.gz", "empty.log", long, "soft", "z-hard", "pipe", "sub"]

    private static func pipeline(_ files: String, _ more: String = "") -> String {
        """
        name: archives
        source: {files: \(files), archive: tar, format: lines}
        stages: [{set: {file: source.file, at: source.offset, row: source.line}}]
        sink: {file: out/lines.jsonl}
        \(more)
        """
    }

    private static func expected(_ archive: String) -> String {
        [("one", "a.log", 0, 1), ("two", "a.log", 4, 2), ("three", "b.log.gz", 0, 1), ("four", long, 0, 1)].map {
            #"{"line":"\#($0)","file":"\#(archive)/\#($1)","at":\#($2),"row":\#($3)}"# + "\n"
        }.joined()
    }

    private static func check(_ command: CommandUnderTest, _ archive: String, skipped: String) throws {
        try command.write(pipeline(archive), to: "archives.yaml")
        let result = try command.run("run", "archives.yaml", "--progress", "none")
        #expect(result.status == 0, "\(result.error)")
        #expect(try command.text(of: "out/lines.jsonl") == expected(archive))
        #expect(result.error.contains("note: \(archive): files read 4; skipped \(skipped)\n"), "\(result.error)")
        #expect(try command.run("audit", ".sluice/archives/report.json").status == 0)
    }

    @Test("that Python writes", arguments: ["USTAR", "GNU", "PAX"])
    func python(format: String) throws {
        let command = try Self.prepared()
        defer { command.remove() }
        let script = """
            import tarfile
            archive = tarfile.open('python.tar', 'w', format=tarfile.\(format)_FORMAT)
            for name in \(Self.names): archive.add('logs/' + name, name)
            archive.close()
            """
        try command.write(script, to: "pack.py")
        let packed = try command.shell("python3 pack.py")
        guard packed.status != 127 else { return print("ArchiveTests: no python3 here") }
        #expect(packed.status == 0, "\(packed.error)")
        try Self.check(command, "python.tar", skipped: "folders 1, hard links 1, named pipes 1, symbolic links 1")
    }

    @Test(
        "that other programs write, compressed or not",
        arguments: [
            ("tar", "--format=gnu -cf", "x.tar"), ("tar", "--format=ustar -czf", "x.tar.gz"), ("tar", "--format=pax -cjf", "x.tbz2"),
            ("tar", "--format=oldgnu -cJf", "x.txz"), ("tar", "--format=posix --zstd -cf", "x.tar.zst"), ("bsdtar", "-czf", "x.tgz"),
            ("bsdtar", "--format=ustar -cf", "x.tar"), ("bsdtar", "--format=gnutar -cf", "x.tar"), ("busybox", "tar -cf", "x.tar"),
        ])
    func programs(program: String, options: String, archive: String) throws {
        let command = try Self.prepared()
        defer { command.remove() }
        guard try command.shell("command -v \(program)").status == 0 else { return print("ArchiveTests: no \(program) here") }
        let packed = try command.shell("cd logs && \(program) \(options) ../\(archive) \(Self.names.joined(separator: " "))")
        #expect(packed.status == 0, "\(packed.error)")
        try Self.check(command, archive, skipped: "folders 1, hard links 1, named pipes 1, symbolic links 1")
    }

    @Test("a sparse file is skipped, and said")
    func sparse() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write("one\n", to: "a.log")
        for format in ["gnu", "pax"] {
            let packed = try command.shell("truncate -s 3M holes && echo end >> holes && tar --format=\(format) --sparse -cf x.tar holes a.log")
            guard packed.status == 0 else { return print("ArchiveTests: no GNU tar here") }
            try command.write(Self.pipeline("x.tar"), to: "archives.yaml")
            let result = try command.run("run", "archives.yaml", "--progress", "none")
            #expect(result.status == 0 && result.error.contains("note: x.tar: files read 1; skipped sparse files 1\n"), "\(format) \(result.error)")
            #expect(try command.text(of: "out/lines.jsonl") == #"{"line":"one","file":"x.tar/a.log","at":0,"row":1}"# + "\n")
        }
    }

    @Test("standard input, and patterns of files to leave out")
    func input() throws {
        let command = try Self.prepared()
        defer { command.remove() }
        #expect(try command.shell("tar -C logs -cf x.tar a.log b.log.gz").status == 0)
        try command.write(Self.pipeline("'-'").replacing("archive: tar", with: "archive: tar, exclude: ['-/*.gz']"), to: "archives.yaml")
        let result = try command.shell("'\(CommandUnderTest.binary.path)' run archives.yaml --progress none < x.tar")
        #expect(result.status == 0 && result.error.contains("note: -: files read 1, left out 1\n"), "\(result.error)")
        #expect(try command.text(of: "out/lines.jsonl").contains(#""file":"-/a.log","at":4"#))
        #expect(try !command.text(of: "out/lines.jsonl").contains("three"))
    }

    @Test("an audit finds the dead letters of archives whose names begin alike, and of one that was not read to its end")
    func similarNames() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        for (index, name) in ["a", "b", "c"].enumerated() { try command.write("1\n\(name)\n\(index)\n", to: "x/\(name).csv") }
        #expect(try command.shell("tar -cf x.tar x && tar -cf x.tar.old x/a.csv && mkdir x.d && tar -cf x.d/x.tar x/b.csv x/c.csv").status == 0)
        let pipeline = """
            name: letters
            source: {files: [x.tar, x.tar.old, x.d/x.tar], archive: tar, format: {csv: {columns: [n], types: {n: int}}}}
            stages: [{head: MOST}]
            sink: {file: out/o.csv}
            """
        for (most, dead) in [(100, 6), (8, 4)] {
            try command.write(pipeline.replacing("MOST", with: "\(most)"), to: "letters.yaml")
            let result = try command.run("run", "letters.yaml", "--progress", "none")
            #expect(result.status == 3 && result.error.contains(" \(dead) dead: balanced"), "\(result.error)")
            let audit = try command.run("audit", ".sluice/letters/report.json", "--with", "letters.yaml")
            #expect(audit.status == 0, "\(audit.output)\(audit.error)")
        }
    }

    @Test("dead letters name the file in the archive, and show, audit and replay find their records")
    func deadLetters() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write("a,b\n1,2\n3\n", to: "1.csv")
        try command.write("b,a\n4,5\n6,7\n8\n", to: "2.csv")
        #expect(try command.shell("gzip 2.csv && tar -cf x.tar 1.csv 2.csv.gz && tar -rf x.tar 1.csv && gzip x.tar").status == 0)
        let pipeline = """
            name: letters
            source: {files: x.tar.gz, archive: tar, format: {csv: {types: {a: int, b: int}}}}
            stages: [{keep: a != LIMIT}, {select: [a, b]}]
            sink: {file: out/o.jsonl}
            dead_letter: dead.jsonl
            """
        try command.write(pipeline.replacing("LIMIT", with: "10 / (a - 5)"), to: "letters.yaml")
        let result = try command.run("run", "letters.yaml", "--progress", "none")
        #expect(result.status == 3, "\(result.error)")
        #expect(try command.text(of: "out/o.jsonl") == #"{"a":1,"b":2}"# + "\n" + #"{"b":6,"a":7}"# + "\n" + #"{"a":1,"b":2}"# + "\n")
        let places = try command.text(of: "dead.jsonl").split(separator: "\n").map { letter in
            let source = letter.components(separatedBy: #""source":{"#).last ?? ""
            return source.components(separatedBy: "}").first ?? ""
        }
        #expect(
            places == [
                #""file":"x.tar.gz/1.csv","member":0,"offset":8,"line":3"#, #""file":"x.tar.gz/2.csv.gz","member":0,"offset":4,"line":2"#,
                #""file":"x.tar.gz/2.csv.gz","member":0,"offset":12,"line":4"#, #""file":"x.tar.gz/1.csv#2","member":0,"offset":8,"line":3"#,
            ])
        #expect(try command.run("show", "x.tar.gz/2.csv.gz@12").output == "8\n")
        for name in ["1.csv", "1.csv#2"] { #expect(try command.run("show", "x.tar.gz/\(name)@8").output == "3\n") }
        #expect(try command.run("show", "x.tar.gz/3.csv@8").status != 0)
        let audit = try command.run("audit", ".sluice/letters/report.json")
        #expect(audit.status == 0, "\(audit.output)\(audit.error)")
        #expect(try command.shell("sed -i 's/\"raw\":\"8\"/\"raw\":\"9\"/' dead.jsonl").status == 0)
        #expect(try command.run("audit", ".sluice/letters/report.json").status == 1)
        #expect(try command.shell("sed -i 's/\"raw\":\"9\"/\"raw\":\"8\"/' dead.jsonl").status == 0)
        try command.write(
            pipeline.replacing("LIMIT", with: "100").replacing("dead.jsonl", with: "again.jsonl").replacing("o.jsonl", with: "p.jsonl"), to: "letters.yaml")
        let replay = try command.run("replay", "dead.jsonl", "--with", "letters.yaml")
        #expect(replay.status == 3, "\(replay.error)")
        // Read with the header of its own file.
        #expect(try command.shell("cat out/p*.jsonl").output == #"{"b":4,"a":5}"# + "\n")
    }

    @Test("year counts on over the files of an archive, and lines are joined within each file only")
    func overFiles() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write("<13>Dec 31 23:00:00 h a: last\n", to: "1.log")
        try command.write("<13>Jan  1 01:00:00 h a: first\n", to: "2.log")
        #expect(try command.shell("tar -cf x.tar 1.log 2.log").status == 0)
        try command.write(
            "name: y\nsource: {files: x.tar, archive: tar, format: syslog, year: 2026}\nstages: [{select: [time]}]\nsink: {stdout: true}\n", to: "y.yaml")
        #expect(
            try command.run("run", "y.yaml", "--progress", "none").output == #"{"time":"2026-12-31T23:00:00Z"}"# + "\n" + #"{"time":"2027-01-01T01:00:00Z"}"#
                + "\n")
        try command.write(" a\n b\nc\n d\n", to: "1.log")
        try command.write(" e\n f\n", to: "2.log")
        #expect(try command.shell("tar -cf x.tar 1.log 2.log").status == 0)
        try command.write(
            "name: m\nsource: {files: x.tar, archive: tar, format: lines, multiline: {continues: '^ '}}\nsink: {stdout: true, format: jsonl}\n", to: "m.yaml")
        #expect(try command.run("run", "m.yaml", "--progress", "none").output == [#" a\n b"#, #"c\n d"#, #" e\n f"#].map { "{\"line\":\"\($0)\"}\n" }.joined())
    }

    @Test("a run that is killed inside an archive goes on there, and gives the same bytes", arguments: ["x.tar", "x.tar.gz"])
    func resumed(archive: String) throws {
        let undisturbed = try Self.large(archive)
        defer { undisturbed.remove() }
        let arguments = ["run", "large.yaml", "--progress", "none", "--state", "state", "--workers", "2"]
        let whole = try undisturbed.run(arguments)
        #expect(whole.status == 3, "\(whole.error)")
        var resumed = 0
        for call in [7, 12, 18] {
            let command = try Self.large(archive)
            defer { command.remove() }
            try command.write("\(call)", to: "kill-at")
            let killed = try command.run(arguments, environment: ["SLUICE_CHECKPOINT_SECONDS": "0"])
            #expect(killed.status == SIGKILL, "\(killed)")
            #expect(try command.shell("rm kill-at").status == 0)
            let again = try command.run(arguments, environment: ["SLUICE_CHECKPOINT_SECONDS": "0"])
            #expect(again.status == 3, "\(again.error)")
            if again.error.contains("resuming the unfinished run") { resumed += 1 }
            for name in ["out/all.jsonl.gz", "out/counts.jsonl", "dead.jsonl.gz"] {
                let same = try command.shell("cmp '\(undisturbed.folder.path)/\(name)' \(name)")
                #expect(same.status == 0, "\(call) \(name) \(same.output)")
            }
            #expect(try command.run("audit", "state/report.json").status == 0)
        }
        #expect(resumed >= 2)
    }

    /// An archive of several batches, with a header in each file, and a child that can be told to
    /// kill the command.
    private static func large(_ archive: String) throws -> CommandUnderTest {
        let command = try CommandUnderTest()
        let filler = String(repeating: "filler ", count: 12)
        for file in 1...4 {
            var text = file % 2 == 0 ? "text,n\n" : "n,text\n"
            for row in 0..<(file == 3 ? 60_000 : 2_000) {
                let number = row % 20_000 == 19 ? "bad" : "\(row)"
                text += file % 2 == 0 ? "\(filler),\(number)\n" : "\(number),\(filler)\n"
            }
            try command.write(text, to: "\(file).csv")
        }
        #expect(try command.shell("gzip -n 4.csv && tar --mtime=@0 -caf \(archive) 1.csv 2.csv 3.csv 4.csv.gz && rm *.csv *.csv.gz").status == 0)
        try command.write(
            """
            while read -r line; do
                count=$((count + 1))
                [ -f kill-at ] && [ $count -ge $(cat kill-at) ] && kill -KILL $PPID
                echo "$line"
            done

            """, to: "child.sh")
        try command.write(
            """
            name: large
            source: {files: \(archive), archive: tar, format: {csv: {types: {n: int}}}}
            stages:
              - set: {file: source.file, row: source.line}
            match: all
            routes:
              - name: all
                sink: {file: out/all.jsonl.gz}
              - name: slow
                when: n % 3000 == 7
                stages: [{exec: [sh, ./child.sh], workers: 1}]
                sink: {file: out/slow.jsonl}
              - name: counts
                stages: [{summarize: {by: {file: file}, values: {records: count(), last: last(n)}}}]
                sink: {file: out/counts.jsonl}
            dead_letter: dead.jsonl.gz
            """, to: "large.yaml")
        return command
    }

    @Test("what is an archive, and what is none, is said with the fix")
    func messages() throws {
        let command = try Self.prepared()
        defer { command.remove() }
        #expect(try command.shell("tar -C logs -cf x.tar a.log b.log.gz && gzip -k x.tar && tar -cf y.tar x.tar && echo x > plain.log").status == 0)
        for archive in ["x.tar", "x.tar.gz"] {
            try command.write(Self.pipeline(archive).replacing("archive: tar, ", with: ""), to: "archives.yaml")
            let result = try command.run("run", "archives.yaml", "--progress", "none")
            #expect(
                result.status == 1 && result.error.contains("\(archive) is a tar archive; 'archive: tar' in the source reads the files in it"),
                "\(result.error)")
        }
        for (file, message) in [
            ("plain.log", "plain.log is not a tar archive; remove 'archive: tar', or leave the file out with 'exclude'"),
            ("y.tar", "y.tar/x.tar: tar inside an archive is not supported; leave the file out with 'exclude', or unpack the archive"),
        ] {
            try command.write(Self.pipeline(file), to: "archives.yaml")
            let result = try command.run("run", "archives.yaml", "--progress", "none")
            #expect(result.status == 1 && result.error.contains(message), "\(result.error)")
        }
    }

    @Test("init proposes the key; check and explain know it")
    func commands() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write("a,b\n1,2\n3,4\n", to: "1.csv")
        #expect(try command.shell("tar -czf x.tar.gz 1.csv").status == 0)
        let made = try command.run("init", "x.tar.gz")
        #expect(made.status == 0 && made.output.contains("\n  archive: tar "), "\(made.output)\(made.error)")
        try command.write(made.output, to: "made.yaml")
        #expect(try command.run("run", "made.yaml", "--progress", "none").status == 0)
        #expect(try command.run("test", "made.yaml").status == 0)
        let check = try command.run("check", "made.yaml", "--sample", "10")
        #expect(check.status == 0, "\(check.output)\(check.error)")
        let plan = try command.run("explain", "made.yaml", "--record", "5,6")
        #expect(plan.status == 0 && plan.output.contains("5"), "\(plan.output)\(plan.error)")
        #expect(
            try command.run("explain", "made.yaml").output.split(whereSeparator: \.isWhitespace).joined(separator: " ").contains("the files in tar archives"))
        try command.write("x\n", to: "plain.log")
        let mixed = try command.run("init", "x.tar.gz", "plain.log")
        #expect(mixed.status == 1 && mixed.error.contains("x.tar.gz is a tar archive, but not all samples are"), "\(mixed.error)")
    }
}
