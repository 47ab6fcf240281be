import Foundation
import Testing

@Suite("docs/dead-letters.md")
struct DeadLettersPageTests {
    @Test("the example of a replay gives the output below it")
    func replay() throws {
        let page = try String(contentsOf: CommandUnderTest.root.appending(path: "docs/dead-letters.md"), encoding: .utf8)
        let section = try #require(page.components(separatedBy: "\n## ").first { $0.hasPrefix("Replaying") })
        let blocks = try MarkdownBlocks(section).blocks
        let text = { (language: String) in try #require(blocks.first { $0.language == language }?.text) }
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write(try text("yaml"), to: "large.yaml")
        #expect(try command.transcript(of: text("sh")) == (try text("sh")))
    }
}
