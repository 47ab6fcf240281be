import Foundation
import Testing

@Suite("README.md")
struct ReadmeTests {
    /// `SLUICE_WRITE_EXPECTED=1` rewrites the output in the shell blocks.
    @Test("every command in it gives the output below it")
    func shell() throws {
        let file = CommandUnderTest.root.appending(path: "README.md")
        var document = try MarkdownBlocks(String(contentsOf: file, encoding: .utf8))
        let command = try CommandUnderTest()
        defer { command.remove() }
        for name in ["sampledata", "pipelines"] {
            try FileManager.default.copyItem(at: CommandUnderTest.root.appending(path: name), to: command.folder.appending(path: name))
        }
        for (index, block) in document.blocks.enumerated() {
            switch block.language {
            case "yaml":
                let name = try #require(block.text.split(separator: "\n").first?.split(separator: " ").last)
                try command.write(block.text, to: String(name))
            case "sh":
                let shown = try command.transcript(of: block.text)
                #expect(comparable(shown) == comparable(block.text))
                document.blocks[index].text = shown
            default: break
            }
        }
        if ProcessInfo.processInfo.environment["SLUICE_WRITE_EXPECTED"] != nil {
            try document.text.write(to: file, atomically: true, encoding: .utf8)
        }
    }

    @Test("its Swift code is compiled and run here")
    func swift() async throws {
        let readme = try String(contentsOf: CommandUnderTest.root.appending(path: "README.md"), encoding: .utf8)
        let block = try #require(try MarkdownBlocks(readme).blocks.first { $0.language == "swift" })
        let example = try String(contentsOf: URL(filePath: #filePath).deletingLastPathComponent().appending(path: "ReadmeExample.swift"), encoding: .utf8)
        let compiled = example.replacing("return \"", with: "print(\"").replacing(" lost\"\n", with: " lost\")\n")
        let wanted = block.text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
        let lines = compiled.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
        #expect(lines.contains(wanted))

        let run = ReadmeExample()
        #expect(try await run.run() == "3 read, 1 written, 1 left out, 1 lost")
        #expect(run.totals.all == [1000])
        #expect(run.lost.all == ["missing: Missing()"])
    }

    @Test("every linked file, and every linked section of one, exists")
    func links() throws {
        let readme = try String(contentsOf: CommandUnderTest.root.appending(path: "README.md"), encoding: .utf8)
        let targets = readme.matches(of: /\]\((?<target>[^):]+)\)/).map { String($0.output.target) }
        #expect(targets.count > 5)
        for target in targets {
            let parts = target.split(separator: "#", maxSplits: 1)
            let file = CommandUnderTest.root.appending(path: String(parts[0]))
            #expect(FileManager.default.fileExists(atPath: file.path), "\(target)")
            guard parts.count == 2 else { continue }
            let headings = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").filter { $0.hasPrefix("#") }
            let anchors = headings.map { heading in
                let words = heading.drop { $0 == "#" }.dropFirst().lowercased().replacing(" ", with: "-")
                return words.filter { $0.isLetter || $0.isNumber || $0 == "-" }
            }
            #expect(anchors.contains(String(parts[1])), "\(target)")
        }
    }

    /// Masks what depends on the clock, on scheduling and on the compression library.
    private func comparable(_ text: String) -> String {
        text.replacing(#/ in [0-9.]+ s\n/#, with: " in a moment\n").replacing(#/[12] of 2\n/#, with: "n of 2\n")
            .replacing(#/ [0-9.]+ k?B\n/#, with: " some bytes\n").replacing(#/ {2,}/#, with: " ")
    }
}
