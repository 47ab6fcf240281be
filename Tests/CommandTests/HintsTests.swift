import Foundation
import Testing

@Suite("Hints at the end of a run")
struct HintsTests {
    private func run(_ definition: String, _ files: [String: String]) throws -> CommandUnderTest.Result {
        let command = try CommandUnderTest()
        defer { command.remove() }
        for (name, text) in files { try command.write(text, to: name) }
        try command.write("name: x\n" + definition, to: "x.yaml")
        return try command.run("run", "x.yaml", "--progress", "none")
    }

    private static let lines = (1...120).map { "{\"n\": \($0), \"status\": \"500\"}\n" }.joined()

    @Test("the first message of each code, with the field that was probably meant")
    func firsts() throws {
        let result = try run(
            "source: {files: in.jsonl}\nstages: [{keep: statsu == '500'}]\nsink: {stdout: true}\nlimits: {dead_letters: none}\n",
            ["in.jsonl": Self.lines + "x\n"])
        #expect(result.error.contains("(expression.no_such_field 120, parse.jsonl 1)\n"))
        #expect(
            result.error.contains("    expression.no_such_field in keep: no such field 'statsu'; did you mean 'status'? (in.jsonl:1)\n"))
        #expect(result.error.contains("    parse.jsonl in source: expected '{' at byte 0, found 'x' (in.jsonl:121)\n"))
        #expect(result.status == 3)
    }

    @Test("a run that lost all of 100 records publishes nothing, unless configured to")
    func allDead() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write(Self.lines, to: "in.jsonl")
        try command.write("yesterday\n", to: "out.jsonl")
        let definition = "name: x\nsource: {files: in.jsonl}\nstages: [{keep: statsu == '500'}]\nsink: {file: out.jsonl}\n"
        try command.write(definition, to: "x.yaml")
        let lost = try command.run("run", "x.yaml", "--progress", "none")
        #expect(lost.status == 1)
        #expect(lost.error.contains("all 120 records failed, so nothing is published; 'limits: {dead_letters: none}' publishes anyway"))
        #expect(lost.error.contains("did you mean 'status'?"))
        #expect(try command.text(of: "out.jsonl") == "yesterday\n")
        try command.write(definition + "limits: {dead_letters: none}\n", to: "x.yaml")
        #expect(try command.run("run", "x.yaml", "--progress", "none").status == 3)
        #expect(try command.text(of: "out.jsonl") == "")
        try command.write(Self.lines.split(separator: "\n").prefix(99).joined(separator: "\n"), to: "in.jsonl")
        try command.write(definition, to: "x.yaml")
        #expect(try command.run("run", "x.yaml", "--progress", "none").status == 3)
    }

    @Test("an operator between text and a number says how to convert them")
    func textAndNumbers() throws {
        let result = try run("source: {files: in.csv, format: csv}\nstages: [{keep: delay > 120}]\nsink: {stdout: true}\n", ["in.csv": "delay\n7\n"])
        #expect(
            result.error.contains(
                "'>' cannot be applied to string and int; convert with int(…), double(…) or string(…)"))
        #expect(result.status == 3)
    }

    static let conditions: [(condition: String, reason: String)] = [
        ("status == 500", "status is text, such as '500', which never equals a number: write '500' in quotes, or int(status)"),
        ("n == '7'", "n is a number, such as 1, which never equals text: write 7 without quotes"),
        ("n > 1000", "n is 1 (1×), 2 (1×), 3 (1×), …"),
        ("n > 5 && status == '501'", "status is \"500\" (120×)"),
    ]

    @Test("a filter that passes nothing says why", arguments: conditions)
    func neverTrue(condition: String, reason: String) throws {
        let result = try run(
            "source: {files: in.jsonl}\nstages: [{keep: \"\(condition)\"}]\nsink: {stdout: true}\n", ["in.jsonl": Self.lines])
        #expect(result.status == 0)
        #expect(result.error.contains("warning: keep passed none of 120 records: '\(condition)' is not true for any of 120 records: \(reason)\n"))
    }

    static let orders: [(stage: String, advice: String?)] = [
        ("sort: {by: n}", "sort: n is text, which puts '1400' before '227': write int(n), or give the field a type in the source's format ('types')"),
        (
            "sort: {by: [{desc: x}]}",
            "sort: x is text, which puts '10' before '9.5': write double(x), or give the field a type in the source's format ('types')"
        ),
        (
            "summarize: {values: {most: max(n)}}",
            "summarize: n is text, which puts '1400' before '227': write int(n), or give the field a type in the source's format ('types')"
        ),
        ("sort: {by: int(n)}", nil), ("sort: {by: d}", nil), ("sort: {by: name}", nil), ("summarize: {values: {most: max(double(x))}}", nil),
    ]

    @Test("numbers that are ordered as text are named", arguments: orders)
    func ordersText(stage: String, advice: String?) throws {
        let result = try run(
            "source: {files: in.csv, format: csv}\nstages: [{\(stage)}]\nsink: {stdout: true}\n",
            ["in.csv": "n,x,d,name\n1400,10,2026-01-02,a10\n227,9.5,2026-01-10,a9\n31,1,2026-02-01,b\n"])
        #expect(result.status == 0)
        if let advice { #expect(result.error.contains("warning: \(advice)\n")) } else { #expect(!result.error.contains("warning:")) }
    }

    @Test("the word that made a field text is named")
    func onlyText() throws {
        let result = try run("source: {files: in.csv, format: {csv: {types: infer}}}\nsink: {stdout: true}\n", ["in.csv": "n,t\n1,a\nNA,b\n3,c\n"])
        #expect(result.error.contains("  warning: n is text because of 'NA' alone; if that is no value, add it to the format's 'nulls'\n"))
        #expect(!result.error.contains("warning: t"))
    }

    static let keys: [(record: String, table: String, key: String, advice: String?)] = [
        (
            "{\"id\": 42}", "id,team\n42,red\n", "id",
            "lookup: id is a number, such as 42, and 't.csv' has text, which never equals it: write string(id), or give the column a type ('types')"
        ),
        ("{\"id\": \"42\"}", "id,team\n42,red\n", "id", nil), ("{\"id\": 42}", "id,team\n42,red\n", "string(id)", nil),
        ("{\"id\": null}", "id,team\n42,red\n", "id", "lookup: the field 'id' is null in every record that has it"),
    ]

    @Test("keys of a lookup that never equal those of its table are named", arguments: keys)
    func keysOfAnotherType(record: String, table: String, key: String, advice: String?) throws {
        let result = try run(
            "source: {files: in.jsonl}\nstages: [{lookup: {file: t.csv, key: \(key), column: id}}]\nsink: {stdout: true}\n",
            ["in.jsonl": record + "\n", "t.csv": table])
        if let advice { #expect(result.error.contains("warning: \(advice)\n")) } else { #expect(!result.error.contains("warning:")) }
    }

    @Test("keys of text never equal numbers of a table")
    func textForNumbers() throws {
        let result = try run(
            "source: {files: in.jsonl}\nstages: [{lookup: {file: t.jsonl, key: id, column: id}}]\nsink: {stdout: true}\n",
            ["in.jsonl": "{\"id\": \"42\"}\n", "t.jsonl": "{\"id\": 42, \"team\": \"red\"}\n"])
        #expect(result.error.contains("warning: lookup: id is text, such as '42', and 't.jsonl' has numbers, which never equal it: write int(id)\n"))
    }

    static let texts: [(text: String, hint: String)] = [
        ("{\n  \"a\": 1,\n  \"b\": 2\n}\n", "is one JSON document over several lines"),
        ("{\"a\":[1\n,{\"b\":\"}\"}]}\n", "is one JSON document over several lines"),
        ("[\n{\"a\": 1},\n{\"b\": 2}\n]\n", "is one JSON array"),
        (
            "10.0.0.1 - - [10/Oct/2025:13:55:36 +0000] \"GET / HTTP/1.1\" 200 2 \"-\" \"-\"\n",
            "looks like combined, which reads 1 of its first 1 records, not like jsonl"
        ),
        (
            "10.0.0.1 - - [10/Oct/2025:13:55:36 +0000] \"GET / HTTP/1.1\" 200 2 \"-\" \"-\" \"-\"\n",
            "looks like {access: {format: main}}, which reads 1 of its first 1 records, not like jsonl"
        ),
    ]

    @Test("an option that the format lacks is named")
    func option() throws {
        let line = "a.example 10.0.0.1 - - [10/Oct/2025:13:55:36 +0000] \"GET / HTTP/1.1\" 200 2 \"-\" \"-\"\n"
        let result = try run("source: {files: in.txt, format: combined}\nsink: {stdout: true}\n", ["in.txt": line])
        #expect(result.error.contains("warning: in.txt looks like {combined: {vhost: true}}, which reads 1 of its first 1 records"), "\(result.error)")
    }

    @Test(
        "broken lines of JSON are not taken for another format",
        arguments: [
            "{\"a\":1} trailing\n{\"a\":2}\n", "{\"a\":1\n{\"a\":2}\n{\"a\":\n", "{\"a\":\"x\n{\"a\":2}\n", "{\"a\":1} trailing",
            "{\"a\":1 trailing\n\"b\":2}\n",
        ])
    func brokenLines(text: String) throws {
        let result = try run("source: {files: in.txt, format: jsonl}\nsink: {stdout: true}\n", ["in.txt": text])
        #expect(result.status == 3 && !result.error.contains("warning:"), "\(result.error)")
    }

    @Test("a complete file in another format is recognized", arguments: texts)
    func wholeFile(text: String, hint: String) throws {
        let result = try run("source: {files: in.txt, format: jsonl}\nsink: {stdout: true}\n", ["in.txt": text])
        #expect(result.error.contains("warning: in.txt \(hint)"))
        #expect(result.status == 3)
    }

    @Test("a JSON document is recognized though its lines pass as records", arguments: ["csv", "tsv", "{csv: {columns: [a]}}"])
    func document(format: String) throws {
        let files = ["in.json": "{\n  \"a\": 1\n}\n", "out.csv": "a\n{\n  \"b\": 1\n}\n"]
        let result = try run("source: {files: in.json, format: \(format)}\nsink: {stdout: true, format: jsonl}\n", files)
        #expect(result.status == 0)
        #expect(
            result.error.contains(
                "warning: in.json is one JSON document over several lines, not one record per line; read it with format: json\n"), "\(result.error)")
        let other = try run("source: {files: out.csv, format: \(format)}\nsink: {stdout: true, format: jsonl}\n", files)
        #expect(!other.error.contains("warning:"), "\(other.error)")
        for lines in ["lines", "{regex: {pattern: '(?P<a>.+)'}}"] {
            let result = try run("source: {files: in.json, format: \(lines)}\nsink: {stdout: true, format: jsonl}\n", files)
            #expect(!result.error.contains("warning:"), "\(result.error)")
        }
    }

    @Test("UTF-16, and gzip inside gzip, are recognized")
    func bytes() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try "a line\nanother\n".data(using: .utf16).map { try $0.write(to: command.folder.appending(path: "wide.txt")) }
        _ = try command.shell("printf 'a\\nb\\n' | gzip | gzip > twice.gz")
        for (name, hint) in [("wide.txt", "is UTF-16 text; set 'encoding: utf-16' in the source"), ("twice.gz", "is gzip inside gzip; unpack it once")] {
            try command.write("name: x\nsource: {files: \(name), format: combined}\nsink: {stdout: true}\n", to: "x.yaml")
            #expect(try command.run("run", "x.yaml", "--progress", "none").error.contains("warning: \(name) \(hint)"))
        }
    }

    @Test(
        "UTF-16, and gzip inside gzip, are recognized even if every record is accepted",
        arguments: ["lines", "tsv", "csv", "{regex: {pattern: '(?P<a>.+)'}}"])
    func accepted(format: String) throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        let utf16 = "a\u{0}\n\u{0}b\u{0}\n\u{0}c\u{0}\n\u{0}"
        try Data([0xFF, 0xFE] + Array(utf16.utf8)).write(to: command.folder.appending(path: "wide.txt"))
        try Data(Array((String(repeating: "\u{0}a\u{0}\n", count: 20)).utf8)).write(to: command.folder.appending(path: "big.txt"))
        _ = try command.shell("seq 1000 | gzip | gzip > twice.gz")
        let cases = [
            ("wide.txt", "is UTF-16 text; set 'encoding: utf-16' in the source\n"), ("big.txt", "is UTF-16 text; set 'encoding: utf-16be' in the source\n"),
            ("twice.gz", "is gzip inside gzip; unpack it once"),
        ]
        for (name, hint) in cases {
            for option in ["", ", encoding: latin1"] {
                try command.write("name: x\nsource: {files: \(name), format: \(format)\(option)}\nsink: {stdout: true, format: jsonl}\n", to: "x.yaml")
                let error = try command.run("run", "x.yaml", "--progress", "none").error
                #expect(error.contains("warning: \(name) \(hint)"), "\(error)")
                #expect(!error.contains("set 'encoding: latin1'"), "\(error)")
            }
        }
        try command.write("name: x\nsource: {files: wide.txt, format: \(format), encoding: utf-16}\nsink: {stdout: true, format: jsonl}\n", to: "x.yaml")
        #expect(try !command.run("run", "x.yaml", "--progress", "none").error.contains("warning:"))
    }

    @Test("a pattern that matches nothing gives nearby files, and one that implies no format gives its matches")
    func nearby() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write("{}\n", to: "in/a.jsonl")
        try command.write("{}\n", to: "in/b.jsonl")
        #expect(try command.shell("mkfifo in/c.jsonl").status == 0)
        let cases = [
            ("in/*.gz", "'in/' has 2 files; 'in/*.jsonl' matches all of them"), ("inn/*.gz", "there is no folder 'inn'; did you mean 'in'?"),
            ("in/a.json", "did you mean 'in/a.jsonl'?"), ("*.gz", "the current folder has one file; '*.yaml' matches all of them"),
        ]
        for (pattern, fix) in cases {
            try command.write("name: x\nsource: {files: '\(pattern)', format: jsonl}\nsink: {stdout: true}\n", to: "x.yaml")
            let result = try command.run("check", "x.yaml")
            #expect(result.error.contains("fix: \(fix)\n"), "\(result.error)")
        }
        try command.write("name: x\nsource: {files: 'in/*'}\nsink: {stdout: true}\n", to: "x.yaml")
        #expect(try command.run("check", "x.yaml").status == 0)
    }

    @Test("a column that 'types' names and the file lacks is named")
    func missingColumn() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write("# x\nStatus;b\n1;2\n", to: "in.csv")
        let yaml = "name: x\nsource: {files: in.csv, format: {csv: {separator: ';', comment: '#', types: {status: int, b: int}}}}\nsink: {stdout: true}\n"
        try command.write(yaml, to: "x.yaml")
        let warning = "in.csv has no column 'status' (did you mean 'Status'?), which 'types' names\n"
        #expect(try command.run("run", "x.yaml", "--progress", "none").error.contains("warning: " + warning))
        #expect(try command.run("check", "x.yaml", "--sample", "10").output.contains("warning: source: " + warning))
        try command.write(yaml.replacing("status", with: "Status"), to: "x.yaml")
        #expect(try !command.run("run", "x.yaml", "--progress", "none").error.contains("warning: "))
    }

    @Test("a column that a list of fields names and the file lacks is named, unless a stage may have added it")
    func missingColumnOfList() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write("status,b\n1,2\n", to: "in.csv")
        func warnings(_ stages: String) throws -> String {
            try command.write("name: x\nsource: {files: in.csv, format: csv}\nstages: [\(stages)]\nsink: {stdout: true}\n", to: "x.yaml")
            let result = try command.run("run", "x.yaml", "--progress", "none")
            #expect(result.status == 0)
            return result.error
        }
        let warning = "warning: in.csv has no column 'stats' (did you mean 'status'?), which 'select' names\n"
        #expect(try warnings("{keep: b != '3'}, {select: [stats, b]}").contains(warning))
        #expect(try warnings("{remove: [c]}, {keep: b != '3'}").contains("warning: in.csv has no column 'c', which 'remove' names\n"))
        #expect(try !warnings("{set: {stats: b}}, {select: [stats, b]}").contains("warning"))
        #expect(try !warnings("{select: [status, b]}").contains("warning"))
    }

    @Test("text that is not UTF-8 and becomes base64 is named", arguments: [("jsonl", "", true), ("lines", "", false), ("jsonl", ", encoding: latin1", false)])
    func notUTF8(format: String, option: String, isWarned: Bool) throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try Data([0x68, 0xE9, 0x0A]).write(to: command.folder.appending(path: "in.txt"))
        try command.write("name: x\nsource: {files: in.txt, format: lines\(option)}\nsink: {file: out.txt, format: \(format)}\n", to: "x.yaml")
        let result = try command.run("run", "x.yaml", "--progress", "none")
        #expect(result.status == 0)
        #expect(result.error.contains("warning: in.txt is not UTF-8, and JSON has such text in base64; set 'encoding: latin1'") == isWarned, "\(result.error)")
    }

    @Test("check --sample shows the fields, their types, and what is never present or never true")
    func sample() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write(Self.lines + "{\"n\": \"many\"}\nx\n", to: "in.jsonl")
        try command.write(
            "name: x\nsource: {files: in.jsonl}\nstages:\n  - remove: [stauts]\n  - drop: status == 500\n  - exec: [cat]\n    timeout: 60s\nsink: {stdout: true}\n",
            to: "x.yaml")
        let result = try command.run("check", "x.yaml", "--sample", "1000")
        #expect(result.status == 0)
        #expect(result.output.contains("122 records sampled, 121 of them read\n"))
        #expect(result.output.contains("  field   records  types\n  n           121  int 120, string 1\n  status      120  string\n"))
        #expect(result.output.contains("warning: source: 1 of 122 records fail, first: line 122: expected '{' at byte 0, found 'x'\n"))
        #expect(result.output.contains("warning: remove: no record has the field 'stauts' (did you mean 'status'?)\n"))
        #expect(result.output.contains("warning: drop: 'status == 500' is not true for any of 121 records: status is text"))
        #expect(result.output.contains("not sampled from 'exec' on, which calls another program\n"))
    }

    @Test("check --sample names the fields that a stage reads, and not those that it makes")
    func sampleOfFieldsMade() throws {
        let result = try Self.sampled(
            """
            name: x
            source: {files: in.jsonl}
            stages:
              - set: {a: n + 1, b: a * 2, c: nope + b, d: d + 1}
            sink: {file: out.jsonl}

            """)
        #expect(result.output.contains("warning: set: 10 of 10 records fail, first: line 1: no such field 'nope'\n"), "\(result.output)")
        let missing = result.output.split(separator: "\n").filter { $0.contains("no record has the field") }
        #expect(
            missing == ["warning: set: no record has the field 'nope'", "warning: set: no record has the field 'd'"], "\(result.output)")
    }

    /// What `check --sample` says of a definition whose input has the records n = 0 to 9.
    private static func sampled(_ definition: String) throws -> CommandUnderTest.Result {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write((0..<10).map { "{\"n\":\($0)}\n" }.joined(), to: "in.jsonl")
        try command.write(definition, to: "x.yaml")
        let result = try command.run("check", "x.yaml", "--sample", "100")
        #expect(result.status == 0, "\(result.error)")
        return result
    }

    @Test("check --sample looks into routes: at their conditions, and at their stages")
    func sampleOfRoutes() throws {
        let result = try Self.sampled(
            """
            name: x
            source: {files: in.jsonl}
            stages: [{keep: n > 1}]
            routes:
              - {name: small, when: n < 5, stages: [{set: {m: n + 1}}, {keep: m > 100}], sink: {file: out/small.jsonl}}
              - {name: never, when: n < 4, sink: {file: out/never.jsonl}}
              - {name: rest, stages: [{remove: [k]}], sink: [{file: out/a.jsonl}, {file: out/b.jsonl}]}

            """)
        #expect(result.output.contains("  small/set     3    3     0\n  small/keep    3    0     0\n  rest/remove   5    5     0\n"), "\(result.output)")
        #expect(result.output.contains("warning: small/keep: 'm > 100' is not true for any of 3 records"), "\(result.output)")
        #expect(result.output.contains("warning: route 'never': none of 8 records goes to it\n"), "\(result.output)")
        #expect(result.output.contains("warning: rest/remove: no record has the field 'k'"), "\(result.output)")
        #expect(!result.output.contains("route 'rest'") && !result.output.contains("route 'small'"), "\(result.output)")
    }

    @Test("check --sample looks into routes in routes")
    func sampleOfNestedRoutes() throws {
        let result = try Self.sampled(
            """
            name: x
            source: {files: in.jsonl}
            routes:
              - name: small
                when: n < 5
                stages: [{set: {m: n + 1}}]
                routes:
                  - {name: odd, when: n % 2 == 1, stages: [{keep: m > 100}], sink: {file: out/odd.jsonl}}
                  - {name: never, when: n > 7, sink: {file: out/never.jsonl}}
                  - {name: rest, sink: {file: out/even.jsonl}}
              - name: all
                routes:
                  - {name: seven, when: n == 7, stages: [{remove: [k]}], sink: {file: out/seven.jsonl}}
                  - {name: rest, sink: {file: out/rest.jsonl}}

            """)
        #expect(result.output.contains("  small/odd/keep     2    0     0\n"), "\(result.output)")
        #expect(result.output.contains("  all/seven/remove   1    1     0\n"), "\(result.output)")
        #expect(result.output.contains("warning: small/odd/keep: 'm > 100' is not true for any of 2 records"), "\(result.output)")
        #expect(result.output.contains("warning: route 'small/never': none of 5 records goes to it\n"), "\(result.output)")
        #expect(result.output.contains("warning: all/seven/remove: no record has the field 'k'"), "\(result.output)")
        #expect(!result.output.contains("rest'"), "\(result.output)")
    }

    @Test("check --sample calls types as pipeline files do")
    func typesOfSample() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write("10.0.0.1 - - [10/Oct/2025:13:55:36 +0000] \"GET / HTTP/1.1\" 200 2\n", to: "in.log")
        try command.write("name: x\nsource: {files: in.log, format: common}\nsink: {stdout: true}\n", to: "x.yaml")
        let result = try command.run("check", "x.yaml", "--sample", "10")
        #expect(result.output.contains("  time            1  timestamp\n"), "\(result.output)")
    }
}
