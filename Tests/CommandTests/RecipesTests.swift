import Foundation
import Testing

@Suite("docs/recipes.md")
struct RecipesTests {
    private static let root = CommandUnderTest.root
    private static let page = root.appending(path: "docs/recipes.md")

    /// `SLUICE_WRITE_EXPECTED=1` rewrites the pipelines, the programs and the output in the shell
    /// blocks.
    @Test("shows the pipelines as they are, and every command gives the output below it")
    func blocks() throws {
        var document = try MarkdownBlocks(String(contentsOf: Self.page, encoding: .utf8))
        let command = try Self.command()
        defer { command.remove() }
        var shown: [String] = []
        for (index, block) in document.blocks.enumerated() {
            let actual: String
            switch block.language {
            case "yaml":
                let name = try #require(block.text.firstMatch(of: /^name: (?<name>\S+)\n/)?.output.name)
                shown.append("\(name).yaml")
                actual = try Self.withoutTests(String(contentsOf: Self.root.appending(path: "pipelines/\(name).yaml"), encoding: .utf8))
            case "python":
                actual = try String(contentsOf: Self.root.appending(path: "pipelines/score.py"), encoding: .utf8)
            case "sh":
                actual = try command.transcript(of: block.text)
            default: continue
            }
            #expect(actual == block.text)
            document.blocks[index].text = actual
        }
        #expect(Set(shown).count == shown.count && shown.count >= 12)
        if ProcessInfo.processInfo.environment["SLUICE_WRITE_EXPECTED"] != nil {
            try document.text.write(to: Self.page, atomically: true, encoding: .utf8)
        }
    }

    private static let hasPython = (try? CommandUnderTest().shell("python3 -c ''").status) == 0

    @Test(
        "the answers are those of the other programs that are installed",
        .enabled(if: hasPython, "scripts/check-jobs needs python3"))
    func rivals() throws {
        let command = try Self.command()
        defer { command.remove() }
        let result = try command.shell("python3 '\(Self.root.path)/scripts/check-jobs' --sluice '\(CommandUnderTest.binary.path)'")
        #expect(result.status == 0, "\(result.output)\(result.error)")
        #expect(result.output.contains(/visitors +sample +awk +2 +yes\n/))
    }

    @Test("a wrong answer is noticed", .enabled(if: hasPython, "scripts/check-jobs needs python3"))
    func wrongAnswer() throws {
        let command = try Self.command()
        defer { command.remove() }
        try command.write("#!/bin/sh\nsluice \"$@\" | sed 's/,1200$/,1201/'\n", to: "wrong")
        let result = try command.shell("chmod +x wrong && python3 '\(Self.root.path)/scripts/check-jobs' --sluice ./wrong --only visitors")
        #expect(result.status == 1)
        #expect(result.output.contains("no: 1 rows only here, such as ('2026-03-01', '248', '1201'); 1 only there"), "\(result.output)\(result.error)")
    }

    /// A folder with what the page's commands read.
    private static func command() throws -> CommandUnderTest {
        let command = try CommandUnderTest()
        for name in ["sampledata", "pipelines"] {
            try FileManager.default.copyItem(at: root.appending(path: name), to: command.folder.appending(path: name))
        }
        return command
    }

    private static func withoutTests(_ file: String) -> String {
        (file.components(separatedBy: "\ntests:\n").first ?? file).trimmingCharacters(in: .newlines) + "\n"
    }
}
