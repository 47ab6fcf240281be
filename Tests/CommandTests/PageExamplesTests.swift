import Foundation
import Testing

@Suite("The examples of the pages")
struct PageExamplesTests {
    private static func file(_ name: String) -> URL { CommandUnderTest.root.appending(path: "docs/\(name)") }
    private static func page(_ name: String) throws -> String { try String(contentsOf: file(name), encoding: .utf8) }

    /// `SLUICE_WRITE_EXPECTED=1` rewrites the outputs.
    @Test("give the output below them", arguments: ["formats.md", "pipeline-file.md", "exec.md"])
    func output(name: String) throws {
        var page = try PageExamples(Self.page(name))
        #expect(!page.examples.isEmpty)
        for example in page.examples {
            if let program = try page.missingProgram(of: example) {
                print("PageExamplesTests: no \(program) here")
                continue
            }
            let (result, deadLetters) = try page.run(example)
            #expect(result.output == page.output(of: example), "\(example.section): \(result.error)")
            #expect(result.status == (example.deadLetters.isEmpty ? 0 : 3), "\(example.section): \(result.error)")
            for letter in example.deadLetters {
                #expect(deadLetters.contains("\"\(letter.code)\"") && deadLetters.contains(letter.message), "\(example.section): \(deadLetters)")
            }
            page.document.blocks[example.output].text = result.output
        }
        if ProcessInfo.processInfo.environment["SLUICE_WRITE_EXPECTED"] != nil {
            try page.document.text.write(to: Self.file(name), atomically: true, encoding: .utf8)
        }
    }

    @Test(
        "show what is neither a verb nor a format, too",
        arguments: ["SQLite", "Parts", "Several sinks", "Routes", "Archives of files", "Records of several lines"])
    func sections(section: String) throws {
        #expect(try PageExamples(Self.page("pipeline-file.md")).examples.contains { $0.section == section })
    }

    @Test("show every format, in the section of its name")
    func formats() throws {
        let names = try Self.names(inTable: "formats")
        let examples = try PageExamples(Self.page("formats.md")).examples
        #expect(names.count > 10)
        for name in names {
            #expect(examples.contains { $0.section.contains("`\(name)`") && Self.mentions($0, name) }, "\(name)")
        }
    }

    /// HTTPTests runs that of docs/http.md, which needs a server.
    @Test("show every verb, in the section of its name")
    func verbs() throws {
        let names = try Self.names(inTable: "verbs")
        let page = try Self.page("pipeline-file.md")
        let examples = try PageExamples(page).examples
        #expect(names.count > 15)
        for name in names where name != "http" {
            #expect(examples.contains { $0.section == name && Self.mentions($0, name) }, "\(name)")
        }
        let sections = page.split(separator: "\n").filter { $0.hasPrefix("### ") }.map { String($0.dropFirst(4)) }
        #expect(sections.filter { names.contains($0) } == names, "in the order of the table")
    }

    /// The name at the beginning of each row of a table of docs/pipeline-file.md.
    private static func names(inTable table: String) throws -> [String] {
        let parts = try page("pipeline-file.md").components(separatedBy: "<!-- \(table): made by make docs -->\n")
        let rows = try #require(parts.last?.components(separatedBy: "<!-- end -->").first)
        return rows.matches(of: /\n\| `(?<name>[a-z]+)`/).map { String($0.output.name) }
    }

    private static func mentions(_ example: PageExamples.Example, _ name: String) -> Bool {
        example.pipeline.split { !$0.isLetter }.contains { $0 == name }
    }
}
