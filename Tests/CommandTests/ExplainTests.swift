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

    @Test("tracing a record shows the result of each stage, and where it is written")
    func way() throws {
        let command = try command()
        defer { command.remove() }
        let result = try command.run("explain", "x.yaml", "--record", Self.record("/api/v1", 503))
        #expect(result.status == 0)
        #expect(result.output.hasPrefix("source\n  {\"ip\":\"10.0.0.1\","))
        #expect(result.output.contains("errors\n  unchanged\nset\n  + section: \"api\"\nremove\n  unchanged\n"))
        #expect(result.output.contains("routes\n  out/api.jsonl.gz\n    {\"ip\":\"10.0.0.1\","))
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
