import Foundation
import Testing

@Suite("explain and graph")
struct ExplainTests {
    private static let file = """
        name: shop
        source: {files: logs/*.gz, format: combined}
        stages:
          - name: errors
            keep: status >= 500
          - set: {section: "path.split('/')[1]"}
          - remove: [ident, user]
          - head: 10
        routes:
          - name: api
            when: section == 'api'
            sink: {file: 'out/{section}.jsonl.gz'}
          - name: rest
            sink: {stdout: true}

        """

    private func command() throws -> CommandUnderTest {
        let command = try CommandUnderTest()
        try command.write(Self.file, to: "x.yaml")
        return command
    }

    private static func record(_ path: String, _ status: Int) -> String {
        "10.0.0.1 - - [10/Oct/2025:13:55:36 +0000] \"GET \(path) HTTP/1.1\" \(status) 2 \"-\" \"-\""
    }

    @Test("the plan shows pools, queues, the fields after each stage and where records go, in 60 columns")
    func plan() throws {
        let command = try command()
        defer { command.remove() }
        let result = try command.run("explain", "x.yaml", "--workers", "4")
        #expect(result.status == 0)
        for text in [
            "stage      verb      workers  queue\n", "errors     keep       1 to 4      2\n", "head       head            1      2\n",
            "writes out/{section}.jsonl.gz as jsonl", "fields +section", "fields -ident -user", "processes batches in input order",
        ] { #expect(result.output.contains(text), "\(result.output)") }
        #expect(result.output.split(separator: "\n").allSatisfy { $0.count <= 60 })
    }

    @Test("tracing a record shows a row of a database as JSON")
    func row() throws {
        let command = try command()
        defer { command.remove() }
        try command.write("name: y\nsource: {files: in.jsonl}\nsink: {sqlite: out/y.db, table: t}\n", to: "y.yaml")
        let result = try command.run("explain", "y.yaml", "--record", "{\"a\":[1],\"b\":\"x\"}")
        #expect(result.status == 0)
        #expect(result.output.hasSuffix("sink\n  out/y.db\n    {\"a\":[1],\"b\":\"x\"}\n"), "\(result.output)")
    }

    @Test("tracing a record shows the result of each stage, and where it is written")
    func way() throws {
        let command = try command()
        defer { command.remove() }
        let result = try command.run("explain", "x.yaml", "--record", Self.record("/api/v1", 503))
        #expect(result.status == 0)
        #expect(result.output.hasPrefix("source\n  {\"ip\":\"10.0.0.1\","))
        #expect(result.output.contains("errors\n  unchanged\nset\n  + section: \"api\"\nremove\n  unchanged\n"))
        #expect(
            result.output.contains(
                """
                head
                  unchanged
                route 'api'
                  takes the record: section == 'api'
                route 'rest'
                  does not take the record: route 'api' has taken it
                routes
                  out/api.jsonl.gz
                    {"ip":"10.0.0.1",
                """))
        #expect(try FileManager.default.contentsOfDirectory(atPath: command.folder.path) == ["x.yaml"])
    }

    @Test("the trace of a filtered or failed record ends there")
    func ends() throws {
        let command = try command()
        defer { command.remove() }
        let filtered = try command.run("explain", "x.yaml", "--record", Self.record("/", 200))
        #expect(filtered.output.hasSuffix("errors\n  filtered\n"))
        let dead = try command.run("explain", "x.yaml", "--record", "hello")
        #expect(dead.output.hasPrefix("source\n  dead letter parse.combined: "))
        #expect(dead.status == 0)
    }

    @Test("the trace goes on into routes, and says why a route does not take the record")
    func routes() throws {
        let command = try command()
        defer { command.remove() }
        let rest = try command.run("explain", "x.yaml", "--record", Self.record("/static/x", 503)).output
        #expect(
            rest.contains(
                """
                route 'api'
                  does not take the record: 'section == 'api'' is not true: section is "static"
                route 'rest'
                  takes the record
                routes
                  standard output
                """), "\(rest)")
        try command.write(
            """
            name: nested
            source: {files: '-', format: jsonl}
            routes:
              - name: big
                when: n > 10
                stages: [{set: {size: "'big'"}}]
                routes:
                  - name: odd
                    when: kind == 'odd'
                    sink: {file: odd.jsonl}
                  - name: even
                    stages: [{remove: [kind]}]
                    sink: {file: even.jsonl}
              - name: rest
                sink: {stdout: true}

            """, to: "nested.yaml")
        #expect(
            try command.run("explain", "nested.yaml", "--record", "{\"n\":12,\"kind\":\"even\"}").output == """
                source
                  {"n":12,"kind":"even"}
                route 'big'
                  takes the record: n > 10
                big/set
                  + size: "big"
                route 'big/odd'
                  does not take the record: 'kind == 'odd'' is not true: kind is "even"
                route 'big/even'
                  takes the record
                big/even/remove
                  - kind
                route 'rest'
                  does not take the record: route 'big' has taken it
                routes
                  even.jsonl
                    {"n":12,"size":"big"}

                """)
        let dead = try command.run("explain", "nested.yaml", "--record", "{\"n\":\"x\"}").output
        #expect(dead.hasPrefix("source\n  {\"n\":\"x\"}\nroutes\n  dead letter expression.type: "), "\(dead)")
        #expect(!dead.contains("route 'big'") && !dead.contains("written"), "\(dead)")
    }

    @Test("the trace of a pipeline with stages in its routes alone shows all of them")
    func traffic() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write(try String(contentsOf: CommandUnderTest.root.appending(path: "pipelines/traffic.yaml"), encoding: .utf8), to: "traffic.yaml")
        let output = try command.run("explain", "traffic.yaml", "--record", Self.record("/api/v1", 503)).output
        let headings = output.split(separator: "\n").filter { !$0.hasPrefix(" ") }
        #expect(
            headings == [
                "source", "route 'paths'", "paths/keep", "paths/summarize", "paths/sort", "route 'statuses'", "statuses/summarize", "routes",
            ], "\(output)")
        #expect(output.contains("paths/keep\n  unchanged\n"))
        #expect(output.contains("  - ip\n") && output.contains("  + requests: 1\npaths/sort\n  unchanged\n"), "\(output)")
        #expect(output.contains("\nroutes\n  out/paths.csv\n    path,requests\n    /api/v1,1\n"), "\(output)")
        #expect(output.hasSuffix("\n  out/statuses.csv\n    status,requests,bytes,p95_bytes\n    503,1,2,2\n"))
    }

    @Test("a record of a file with a header is read with that header")
    func header() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write("a,b\n1,2\n", to: "in.csv")
        try command.write("name: x\nsource: {files: in.csv, format: csv}\nstages: [{set: {c: a + b}}]\nsink: {stdout: true}\n", to: "x.yaml")
        let result = try command.run("explain", "x.yaml", "--record", "3,4")
        #expect(result.output.contains("set\n  + c: \"34\"\nsink\n  standard output\n    {\"a\":\"3\",\"b\":\"4\",\"c\":\"34\"}\n"))
    }

    @Test("the graph is drawn for Mermaid, Graphviz and as an image")
    func graph() throws {
        let command = try command()
        defer { command.remove() }
        let mermaid = try command.run("graph", "x.yaml").output
        #expect(mermaid.hasPrefix("flowchart LR\n  n0([\"no inputs<br/>combined\"])\n  n1[\"errors<br/>keep\"]\n"))
        #expect(mermaid.contains("  n5{\"routes\"}\n") && mermaid.contains("  n5 --> n6\n  n5 --> n7\n"))
        let dot = try command.run("graph", "x.yaml", "--as", "dot").output
        #expect(dot.hasPrefix("digraph \"shop\" {\n") && dot.hasSuffix("}\n"))
        #expect(dot.contains("n6 [label=\"out/{section}.jsonl.gz\\njsonl\", shape=cylinder];"))
        let svg = try command.run("graph", "x.yaml", "--as", "svg").output
        #expect(svg.hasPrefix("<svg xmlns=") && svg.hasSuffix("</svg>\n"))
        let parser = XMLParsing(svg)
        #expect(parser.isWellFormed && parser.count == 8 + 1)
    }
}

/// Checks whether a text is XML, and counts the rectangles in it.
private struct XMLParsing {
    var isWellFormed = true
    var count = 0

    init(_ text: String) {
        var open: [Substring] = []
        for match in text.matches(of: /<(?<close>\/?)(?<name>[a-z]+)[^>]*?(?<alone>\/?)>/) {
            if match.output.name == "rect" { count += 1 }
            if !match.output.alone.isEmpty { continue }
            if match.output.close.isEmpty {
                open.append(match.output.name)
            } else if open.popLast() != match.output.name {
                isWellFormed = false
            }
        }
        isWellFormed = isWellFormed && open.isEmpty
    }
}
