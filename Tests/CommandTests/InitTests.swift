import Foundation
import Testing

@Suite("init")
struct InitTests {
    static let samples: [(name: String, text: String, format: String)] = [
        ("it's.jsonl", "{\"status\": 500, \"a b\": \"${x}\"}\n{\"status\": 200}\n", "jsonl"),
        (
            "web.log", "10.0.0.1 - - [10/Oct/2025:13:55:36 +0000] \"GET /a HTTP/1.1\" 200 2 \"-\" \"Mozilla/5.0 (X11, Linux)\"\n", "combined"
        ),
        ("c.log", "10.0.0.1 - - [10/Oct/2025:13:55:36 +0000] \"GET /a HTTP/1.1\" 200 2\n", "common"),
        ("t.csv", "name,count\n\"a, b\",1\nc,2\n", "{csv: {types: infer}}"),
        ("s.txt", "name;count;x\nb;1;2\nc;2;3\n", "{csv: {separator: \";\", types: infer}}"),
        ("text.csv", "name,zip\nb,01\nc,02\n", "csv"),
        ("nulls.csv", "name,count,day\nNA,1,2026-11-28\nb,NA,-\nc,-2,\n", "{csv: {nulls: ['', 'NA', '-'], types: infer}}"),
        ("nulls.tsv", "name\tcount\ta\nx\t1\t\\N\nb\tNULL\ty\n", "{tsv: {nulls: ['\\N', 'NULL'], types: infer}}"),
        ("semi.txt", "name;count;x\nb;1;\\N\nc;2;3\n", "{csv: {separator: \";\", nulls: ['', '\\N'], types: infer}}"),
        // Among names it may be a name.
        ("names.csv", "name,initials\nAnn,NA\nBob,BB\n", "csv"),
        // The commas of two lines of five do not make it csv.
        ("gc.log", "VM (25.1), built by x\nt: [GC pause (young), 0.01 secs]\n   [Parallel Time: 7.2 ms]\n   [Other: 2.3 ms]\n   [Free: 0.1 ms]\n", "lines"),
        ("app.log", "ts=2026-11-28T10:00:00Z level=info msg=\"hello there\" n=1\nts=2026-11-28T10:00:01Z level=warn msg=bye n=2\n", "logfmt"),
        ("messages.log", "Nov 28 10:48:19 vm app[7]: started, with 5 workers\nNov 28 10:48:20 vm kernel: [   12.3] eth0: link up\n", "syslog"),
        // The level is no host, as it would be in syslog.
        (
            "service.log", "2026-11-02T10:11:12Z INFO app: started\n2026-11-02T10:11:13Z WARN app[7]: slow, 3 s\n",
            #"{regex: {pattern: '^%{time:time} +%{level:level} +%{host:app}(?:\[%{int:pid}\])?: %{rest:message}$'}}"#
        ),
        (
            "blank.log", "2026-11-02 10:11:12 INFO app: started\n2026-11-02 10:11:13 WARN app: slow, 3 s\n",
            #"{regex: {pattern: '^%{time:time} +%{level:level} +%{host:app}(?:\[%{int:pid}\])?: %{rest:message}$'}}"#
        ),
        (
            "brackets.log", "[2026-11-02 10:11:12] [error] it's over\n[2026-11-02 10:11:13] [info] no: it is not\n",
            #"{regex: {pattern: '^\[?%{time:time}\]? +\[?%{level:level}\]?:? +%{rest:message}$'}}"#
        ),
        (
            "python.log", "2026-11-02 10:11:12,345 - app.db - INFO - started\n2026-11-02 10:11:13,001 - app - ERROR - no, a - b\n",
            #"{regex: {pattern: '^%{time:time} - %{notspace:logger} - %{level:level} - %{rest:message}$'}}"#
        ),
        (
            "logback.log", "2026-11-02 10:11:12.345 [main] INFO  a.b.App - started\n2026-11-02 10:11:13.001 [pool 1] WARN  a.b.C -- slow\n",
            #"{regex: {pattern: '^%{time:time} +\[%{text:thread}\] +%{level:level} +%{notspace:logger} +-+ %{rest:message}$'}}"#
        ),
        (
            "log4j.log", "2026-11-02 10:11:12,345 INFO  [main] a.b.App - started\n2026-11-02 10:11:13,001 WARN  [pool 1] a.b.C - slow\n",
            #"{regex: {pattern: '^%{time:time} +%{level:level} +\[%{text:thread}\] +%{notspace:logger} +-+ %{rest:message}$'}}"#
        ),
        (
            "spring.log", "2026-11-02T10:11:12.345+01:00  INFO 7 --- [    main] a.b.App      : started\n",
            #"{regex: {pattern: '^%{time:time} +%{level:level} +%{int:pid} --- \[ *%{text:thread}\] +%{notspace:logger} +: %{rest:message}$'}}"#
        ),
        // A host that is called like no level.
        ("iso.log", "2026-11-28T10:48:19.277038+00:00 vm app[7]: started\n2026-11-28T10:48:20.277038+00:00 vm kernel: up\n", "syslog"),
        // A word after a time is a host only where something else says that it is syslog.
        (
            "times.log", "2026-11-28T10:48:19Z started the engine\n2026-11-28T10:48:20Z slow, 3 s: no\n",
            #"{regex: {pattern: '^\[?%{time:time}\]?:? +%{rest:message}$'}}"#
        ),
        ("epochs.log", "1764324000.25 GET /a 1\n1764324001.5 GET /b 2\n", "lines"),
        ("untagged.log", "Nov 28 10:48:19 vm it is on\nNov 28 10:48:20 vm it is off\n", "syslog"),
        ("repeated.log", "2026-11-28T10:48:19Z vm app: on\n2026-11-28T10:48:20Z vm last message repeated 3 times\n", "syslog"),
        ("iis.log", "#Fields: date time s-ip\n2026-11-28 10:48:19 10.0.0.1\n2026-11-28 10:48:20 10.0.0.2\n", "tsv"),
        (
            "nginx.log", "10.0.0.1 - - [10/Oct/2025:13:55:36 +0000] \"GET /a HTTP/1.1\" 200 2 \"-\" \"curl/8\" \"-\"\n", "{access: {format: main}}"
        ),
        (
            "vhosts.log", "a.example:80 10.0.0.1 - - [10/Oct/2025:13:55:36 +0000] \"GET /a HTTP/1.1\" 200 2 \"-\" \"curl/8\"\n",
            "{combined: {vhost: true}}"
        ),
        ("squid.log", "1757601234.123    250 10.0.0.1 TCP_MISS/200 1234 GET http://x.example/a?b - DIRECT/1.2.3.4 text/html\n", "{access: {format: squid}}"),
        // Words before '=' here and there do not make it logfmt.
        ("vm.log", "VM (25.1)\nMemory: 4k page\nflags: -XX:A=1 -XX:B=2 -XX:C=3\nt: 1\nu: 2\nv: 3\nw: 4\nx: 5\n", "lines"),
        ("words.txt", "Some words of text\nand more of them.\n", "lines"),
    ]

    @Test("writes a file that runs, checks and passes its own test", arguments: samples)
    func runs(name: String, text: String, format: String) throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write(text, to: name)
        let made = try command.run("init", name)
        #expect(made.status == 0)
        #expect(made.output.contains("  format: \(format)\n"), "\(made.error)")
        let options = #/(: \{|, )(nulls: .*?\]|types: infer)/#
        let plain = format.replacing(options, with: "").replacing(#/^\{(\w+)\}\}$/#) { String($0.1) }
        #expect(made.error.hasPrefix("\(name): \(plain) "))
        try command.write(made.output, to: "made.yaml")
        let check = try command.run("check", "made.yaml")
        #expect(check.error == "")
        let test = try command.run("test", "made.yaml")
        #expect(test.output.hasSuffix("1 test: 1 ok\n"), "\(test.output)")
        #expect(try command.run("run", "made.yaml", "--progress", "none").status == 0)
    }

    @Test("proposes fields that are what they are called")
    func loggers() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write("2026-11-02 10:11:12 INFO app: started\n2026-11-02 10:11:13 WARN app: slow, 3 s\n\n", to: "service.log")
        #expect(try command.run("init", "service.log", "--output", "made.yaml").status == 0)
        #expect(try command.run("run", "made.yaml", "--progress", "none").status == 0)
        let records = [
            #"{"time":"2026-11-02 10:11:12","level":"INFO","app":"app","message":"started"}"#,
            #"{"time":"2026-11-02 10:11:13","level":"WARN","app":"app","message":"slow, 3 s"}"#,
        ]
        #expect(try command.text(of: "out/service.jsonl.gz") == records.joined(separator: "\n") + "\n")
    }

    @Test("names the types that the format gives its fields, as pipeline files call them")
    func types() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write("10.0.0.1 - - [10/Oct/2025:13:55:36 +0000] \"GET / HTTP/1.1\" 200 2 \"-\" \"-\"\n", to: "access.log")
        let made = try command.run("init", "access.log")
        #expect(made.output.contains(#/\n#   time +timestamp  "2025-10-10T13:55:36Z"\n/#))
        #expect(made.output.contains(#/\n#   status +int  200\n/#))
    }

    @Test(
        "recognizes the encoding of the text",
        arguments: [("latin1", "name;count\nJos\u{E9};1\n"), ("utf-16", "\u{FEFF}name;count\nJos\u{E9};1\n"), ("utf-16be", "name;count\nJos\u{E9};1\n")])
    func encoding(name: String, text: String) throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        let encodings: [String: String.Encoding] = ["latin1": .isoLatin1, "utf-16": .utf16LittleEndian, "utf-16be": .utf16BigEndian]
        let bytes = try #require(encodings[name].flatMap { text.data(using: $0) })
        try bytes.write(to: command.folder.appending(path: "in.csv"))
        let made = try command.run("init", "in.csv")
        #expect(made.status == 0)
        #expect(made.error.hasSuffix(", reads 1 of 1 records of \(name)\n"), "\(made.error)")
        #expect(made.output.contains("  encoding: \(name)\n"))
        try command.write(made.output, to: "made.yaml")
        #expect(try command.run("test", "made.yaml").status == 0)
        #expect(try command.run("run", "made.yaml", "--progress", "none").status == 0)
        #expect(try command.text(of: "out/in.jsonl.gz") == "{\"name\":\"Jos\u{E9}\",\"count\":1}\n")
    }

    @Test("reads all of several samples, if they are alike")
    func several() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write("{\"a\":1}\n", to: "one.jsonl")
        try command.write("{\"a\":2}\n", to: "two.jsonl")
        let made = try command.run("init", "one.jsonl", "two.jsonl", "--output", "made.yaml")
        #expect(made.status == 0)
        #expect(made.output == "")
        #expect(try command.run("run", "made.yaml", "--progress", "none").status == 0)
        #expect(try command.text(of: "out/one.jsonl.gz") == "{\"a\":1}\n{\"a\":2}\n")
        #expect(try command.run("init", "one.jsonl", "--output", "made.yaml").status == 2)
        try command.write("a,b\n1,2\n", to: "three.csv")
        let mixed = try command.run("init", "one.jsonl", "three.csv")
        #expect(mixed.status == 1)
        #expect(mixed.error.contains("all samples must have the same format"))
    }

    @Test("a sample that ends between the quotes of a long field is still csv")
    func cutBetweenQuotes() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        let rows = (0..<59).map { "\($0),fine,7\n" }.joined()
        try command.write("id,text,n\n\(rows)59,\"\(String(repeating: "a line, of many\n", count: 300))\",7\n", to: "in.csv")
        let made = try command.run("init", "in.csv")
        #expect(made.status == 0)
        #expect(made.output.contains(#/\n  format: (csv|\{csv: .*)\n/#), "\(made.error)")
    }

    @Test("without samples it shows every part, and the file has a valid shape")
    func bare() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write(try command.run("init").output, to: "made.yaml")
        #expect(try command.run("check", "made.yaml", "--no-inputs").output == "made.yaml: ok\n")
    }

    @Test("describes a file that no format reads, and reports a missing one")
    func refused() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        _ = try command.shell("printf 'a\\nb\\n' | gzip | gzip > twice.gz")
        let result = try command.run("init", "twice.gz")
        #expect(result.error.contains("twice.gz is gzip inside gzip"))
        #expect(result.status == 1)
        #expect(try command.run("init", "missing").status == 1)
        try command.write("", to: "empty")
        #expect(try command.run("init", "empty").error == "sluice: empty is empty\n")
        try command.write("\u{0}\u{1}\nabc\u{0}\n", to: "binary")
        #expect(try command.run("init", "binary").error == "sluice: binary is not text\n")
    }

    @Test(
        "proposes the list of records that a JSON document has",
        arguments: ["{\"Records\":[{\"a\":1},{\"a\":2}]}", "{\n  \"Records\": [\n    {\"a\": 1},\n    {\"a\": 2}\n  ]\n}\n"])
    func documents(text: String) throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write(text, to: "trail.json")
        let made = try command.run("init", "trail.json", "--output", "made.yaml")
        #expect(made.error.hasPrefix("trail.json: {json: {records: Records}} 100 %, reads 2 of 2 records"), "\(made.error)")
        #expect(try command.run("run", "made.yaml", "--progress", "none").status == 0)
        #expect(try command.text(of: "out/trail.jsonl.gz").replacing(" ", with: "") == "{\"a\":1}\n{\"a\":2}\n")
        try command.write("{\"items\":[{\"a\":1}]}\n{\"items\":[{\"a\":2}]}\n", to: "orders.jsonl")
        #expect(try command.run("init", "orders.jsonl").output.contains("format: jsonl\n"))
    }
}
