import Foundation
import Testing

@Suite("scripts/install")
struct InstallTests {
    private let command: CommandUnderTest

    init() throws {
        command = try CommandUnderTest()
    }

    private func script(_ name: String, _ arguments: String...) throws -> CommandUnderTest.Result {
        try command.start(CommandUnderTest.root.appending(path: "scripts/\(name)"), [CommandUnderTest.binary.path] + arguments).finish()
    }

    @Test("puts the command, its completions and its manual page under a prefix")
    func files() throws {
        defer { command.remove() }
        let result = try script("install", command.folder.path)
        #expect(result.status == 0, "\(result.error)")
        let files = try #require(FileManager.default.enumerator(atPath: command.folder.path)?.allObjects as? [String])
        #expect(
            Set(files.filter { $0.contains("sluice") }) == [
                "bin/sluice", "share/bash-completion/completions/sluice", "share/zsh/site-functions/_sluice",
                "share/fish/vendor_completions.d/sluice.fish", "share/man/man1/sluice.1.gz",
            ])
        #expect(try command.text(of: "share/bash-completion/completions/sluice").contains("complete "))
        #expect(try command.text(of: "share/zsh/site-functions/_sluice").hasPrefix("#compdef sluice\n"))
        #expect(try command.text(of: "share/fish/vendor_completions.d/sluice.fish").contains("complete -c 'sluice'"))
        #expect(try command.text(of: "share/man/man1/sluice.1.gz").hasPrefix(".TH SLUICE 1 "))
        let installed = try command.start(command.folder.appending(path: "bin/sluice"), ["--version"]).finish()
        #expect(try installed.output == command.run("--version").output)
    }

    @Test("writes a manual page with every command, and every line of its help", arguments: ["run", "check", "eval", "audit"])
    func manual(name: String) throws {
        defer { command.remove() }
        let page = try script("manual").output.replacing("\\-", with: "-").replacing("\\&", with: "").replacing("\\e", with: "\\")
        let section = try #require(page.components(separatedBy: ".SH SLUICE ").first { $0.hasPrefix("\(name.uppercased())\n") })
        #expect(page.contains("\nsluice \(name) "))
        let help = try command.shell("COLUMNS=1000 sluice help \(name)").output
        // In the manual page, each term of a list and its explanation are on separate lines.
        for line in help.split(separator: "\n") where !line.hasPrefix("USAGE: ") {
            let parts = line.hasPrefix("  -") || line.hasPrefix("  <") ? line.split(separator: #/ {2,}/#) : [line[...]]
            for part in parts {
                let text = part.trimmingCharacters(in: .whitespaces).replacing(#/^OVERVIEW: /#, with: "").replacing(#/^([A-Z]+):$/#) { $0.output.1 }
                #expect(section.contains(text), "\(text)")
            }
        }
    }
}
