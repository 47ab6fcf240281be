import Foundation
import SluiceRecords
import Testing

@testable import sluice

@Suite("The compression libraries of a run")
struct LibrariesTests {
    let command: CommandUnderTest

    init() throws {
        command = try CommandUnderTest()
        try command.write("name: x\nsource: {files: '-', format: jsonl}\nsink: {file: out/x.jsonl.gz, level: 6}\n", to: "x.yaml")
    }

    private func report() throws -> RunReport {
        try RunReport(contentsOf: command.folder.appending(path: ".sluice/x/report.json").path)
    }

    @Test("are in the report, and --verbose names them")
    func reported() throws {
        defer { command.remove() }
        let result = try command.run("run", "x.yaml", "--verbose", input: "{}\n")
        let libraries = try #require(try report().libraries)
        #expect(libraries.inflate == DeflateLibrary.preferred.title)
        #expect(libraries.deflate == "\(DeflateLibrary.zlib.title), level 6")
        #expect(result.error.contains("  inflates with \(libraries.inflate), deflates with \(DeflateLibrary.zlib.title), level 6\n"))
    }

    @Test("are those of the dead letters if only they are compressed, and absent if nothing is", arguments: [true, false])
    func plainOutput(letters isGzip: Bool) throws {
        defer { command.remove() }
        let letters = isGzip ? "dead.jsonl.gz" : "dead.jsonl"
        try command.write(
            "name: x\nsource: {files: '-', format: jsonl}\nsink: {file: out/x.jsonl}\ndead_letter: \(letters)\n", to: "x.yaml")
        #expect(try command.run("run", "x.yaml", input: "{}\n").status == 0)
        let libraries = try #require(try report().libraries)
        #expect(libraries.deflate == (isGzip ? RunReport.Libraries(level: .standard).deflate : nil))
    }

    @Test("are both zlib if SLUICE_INFLATE says so, without a note in a short run")
    func forced() throws {
        defer { command.remove() }
        let result = try command.shell("echo '{}' | SLUICE_INFLATE=zlib sluice run x.yaml")
        #expect(result.status == 0)
        #expect(!result.error.contains("several times slower"))
        let libraries = try #require(try report().libraries)
        #expect(libraries.inflate == DeflateLibrary.zlib.title)
        #expect(try command.shell("SLUICE_INFLATE=zlib sluice --version").output.contains("deflates with zlib"))
    }

    @Test("are named once, with a way to the faster one, while zlib slows down a long run")
    func slow() throws {
        defer { command.remove() }
        let run = try command.start(URL(filePath: "/bin/sh"), ["-c", "SLUICE_INFLATE=zlib exec sluice run x.yaml"])
        try run.waits(for: "several times slower")
        let result = try run.finish(input: "{}\n")
        #expect(result.status == 0)
        let notice = try #require(SlowGzipNotice(isNeeded: true, hasFastLibrary: DeflateLibrary.isal.isAvailable).text)
        #expect(result.error.hasPrefix("sluice: \(notice)\n"))
        #expect(result.error.components(separatedBy: "several times slower").count == 2)
    }

    @Test("are not mentioned if ISA-L is used")
    func fast() {
        #expect(SlowGzipNotice(isNeeded: false, hasFastLibrary: true).text == nil)
        #expect(SlowGzipNotice(isNeeded: true, hasFastLibrary: true).text?.contains("unset") == true)
        #expect(SlowGzipNotice(isNeeded: true, hasFastLibrary: false).text?.contains("libisal-dev") == true)
    }
}
