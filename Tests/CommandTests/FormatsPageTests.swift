import Foundation
import Testing

@Suite("docs/formats.md")
struct FormatsPageTests {
    @Test("the example of access gives the output below it")
    func access() throws {
        let page = try String(contentsOf: CommandUnderTest.root.appending(path: "docs/formats.md"), encoding: .utf8)
        let section = try #require(page.components(separatedBy: "\n## ").first { $0.hasPrefix("`access`") })
        let blocks = try MarkdownBlocks(section).blocks
        let text = { (language: String) in try #require(blocks.first { $0.language == language }?.text) }
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write(try text("yaml"), to: "pipeline.yaml")
        try command.write(try text("log"), to: "access.log")
        let result = try command.run("run", "pipeline.yaml", "--progress", "none")
        #expect(result.output == (try text("text")))
        #expect(result.status == 0)
    }

    @Test("the example of csv gives the output below it")
    func csv() throws {
        let page = try String(contentsOf: CommandUnderTest.root.appending(path: "docs/formats.md"), encoding: .utf8)
        let section = try #require(page.components(separatedBy: "\n## ").first { $0.hasPrefix("`csv`") })
        let blocks = try MarkdownBlocks(section).blocks
        let text = { (language: String) in try #require(blocks.first { $0.language == language }?.text) }
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write(try text("yaml"), to: "pipeline.yaml")
        try command.write(try text("csv"), to: "orders.csv")
        let result = try command.run("run", "pipeline.yaml", "--progress", "none")
        #expect(result.output == (try text("text")))
        #expect(result.status == 3)
        #expect(try command.text(of: ".sluice/orders/dead-letter.jsonl.gz").contains("the record has 3 fields, but the header has 4"))
    }

    @Test("the example of tsv gives the output below it")
    func tsv() throws {
        let page = try String(contentsOf: CommandUnderTest.root.appending(path: "docs/formats.md"), encoding: .utf8)
        let section = try #require(page.components(separatedBy: "\n## ").first { $0.hasPrefix("`tsv`") })
        let blocks = try MarkdownBlocks(section).blocks
        let text = { (language: String) in try #require(blocks.first { $0.language == language }?.text) }
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write(try text("yaml"), to: "pipeline.yaml")
        try command.write(try text("tsv"), to: "parts.tsv")
        let result = try command.run("run", "pipeline.yaml", "--progress", "none")
        #expect(result.output == (try text("text")))
        #expect(result.status == 3)
        #expect(try command.text(of: ".sluice/parts/dead-letter.jsonl.gz").contains("the record has 3 fields, but the header has 4"))
    }

    @Test("the example of a log with '#' lines gives the output below it")
    func zeek() throws {
        let page = try String(contentsOf: CommandUnderTest.root.appending(path: "docs/formats.md"), encoding: .utf8)
        let section = try #require(page.components(separatedBy: "\n### ").first { $0.hasPrefix("Logs with") })
        let blocks = try MarkdownBlocks(section).blocks
        let text = { (language: String) in try #require(blocks.first { $0.language == language }?.text) }
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write(try text("yaml"), to: "pipeline.yaml")
        try command.write(try text("zeek"), to: "dns.log")
        let result = try command.run("run", "pipeline.yaml", "--progress", "none")
        #expect(result.output == (try text("output")))
        #expect(result.status == 0)
    }

    @Test("the example of json gives the output below it")
    func json() throws {
        let page = try String(contentsOf: CommandUnderTest.root.appending(path: "docs/formats.md"), encoding: .utf8)
        let section = try #require(page.components(separatedBy: "\n## ").first { $0.hasPrefix("`json`") })
        let blocks = try MarkdownBlocks(section).blocks
        let text = { (language: String) in try #require(blocks.first { $0.language == language }?.text) }
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write(try text("yaml"), to: "pipeline.yaml")
        try command.write(try text("json"), to: "trail.json")
        let result = try command.run("run", "pipeline.yaml", "--progress", "none")
        #expect(result.output == (try text("text")))
        #expect(result.status == 0)
    }

    @Test("the example of logfmt gives the output below it")
    func logfmt() throws {
        let page = try String(contentsOf: CommandUnderTest.root.appending(path: "docs/formats.md"), encoding: .utf8)
        let section = try #require(page.components(separatedBy: "\n## ").first { $0.hasPrefix("`logfmt`") })
        let blocks = try MarkdownBlocks(section).blocks
        let text = { (language: String) in try #require(blocks.first { $0.language == language }?.text) }
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write(try text("yaml"), to: "pipeline.yaml")
        try command.write(try text("logfmt"), to: "app.logfmt")
        let result = try command.run("run", "pipeline.yaml", "--progress", "none")
        #expect(result.output == (try text("text")))
        #expect(result.status == 3)
        #expect(try command.text(of: ".sluice/slow/dead-letter.jsonl.gz").contains("the quote at byte 15 is not closed"))
    }

    @Test("the example of syslog gives the output below it")
    func syslog() throws {
        let page = try String(contentsOf: CommandUnderTest.root.appending(path: "docs/formats.md"), encoding: .utf8)
        let section = try #require(page.components(separatedBy: "\n## ").first { $0.hasPrefix("`syslog`") })
        let blocks = try MarkdownBlocks(section).blocks
        let text = { (language: String) in try #require(blocks.first { $0.language == language }?.text) }
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write(try text("yaml"), to: "pipeline.yaml")
        try command.write(try text("log"), to: "auth.log")
        let result = try command.run("run", "pipeline.yaml", "--progress", "none")
        #expect(result.output == (try text("text")))
        #expect(result.status == 3)
        #expect(
            try command.text(of: ".sluice/auth/dead-letter.jsonl.gz").contains("expected a priority such as <34>, or a time at byte 0, found 'h'"))
    }

    @Test("the example of records of several lines gives the output below it")
    func multiline() throws {
        let page = try String(contentsOf: CommandUnderTest.root.appending(path: "docs/pipeline-file.md"), encoding: .utf8)
        let section = try #require(page.components(separatedBy: "\n### ").first { $0.hasPrefix("Records of several lines") })
        let blocks = try MarkdownBlocks(section).blocks
        let text = { (language: String) in try #require(blocks.first { $0.language == language }?.text) }
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write(try text("yaml"), to: "pipeline.yaml")
        try command.write(try text("log"), to: "app.log")
        let result = try command.run("run", "pipeline.yaml", "--progress", "none")
        #expect(result.output == (try text("text")))
        #expect(result.status == 0)
    }
}
