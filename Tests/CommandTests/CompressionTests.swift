import Foundation
import Testing

@Suite("Compressed inputs and outputs")
struct CompressionTests {
    static let programs = [("zst", "zstd -q -f --rm"), ("bz2", "bzip2 -f"), ("xz", "xz -f"), ("gz", "gzip -f")]

    private static func has(_ program: String) -> Bool { FileManager.default.isExecutableFile(atPath: "/usr/bin/" + program) }

    private static func shell(_ script: String, in folder: URL) throws -> Data {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", script]
        process.currentDirectoryURL = folder
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(script)")
        return data
    }

    static let lines = (0..<30_000).map { "{\"n\":\($0),\"text\":\"line \($0 &* 2_654_435_761 % 9973)\"}\n" }.joined()

    @Test(
        "what the programs themselves write is read whole", .enabled(if: has("zstd") && has("bzip2") && has("xz"), "zstd, bzip2 and xz are not installed"),
        arguments: programs.map(\.0))
    func reads(ending: String) throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write(Self.lines, to: "in.jsonl")
        let program = try #require(Self.programs.first { $0.0 == ending }).1
        _ = try Self.shell("\(program) in.jsonl", in: command.folder)
        try command.write("name: t\nsource: {files: in.jsonl.\(ending)}\nsink: {stdout: true}\n", to: "p.yaml")
        let result = try command.run("run", "p.yaml", "--progress", "none")
        #expect(result.status == 0)
        #expect(result.output == Self.lines)
    }

    @Test(
        "outputs called .zst are zstd, read by the program itself, the same with one worker and with eight", .enabled(if: has("zstd"), "zstd is not installed"))
    func writes() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write(Self.lines, to: "in.jsonl")
        try command.write(
            "name: t\nsource: {files: in.jsonl}\nstages: [{keep: n % 3 != 1}]\nsink: {file: 'out/{string(n % 2)}.jsonl.zst'}\ndead_letter: dead.jsonl.zst\n",
            to: "p.yaml")
        var outputs: [Data] = []
        for workers in ["1", "8"] {
            let result = try command.run("run", "p.yaml", "--progress", "none", "--workers", workers)
            #expect(result.status == 0)
            outputs.append(try Self.shell("cat out/0.jsonl.zst out/1.jsonl.zst dead.jsonl.zst", in: command.folder))
        }
        #expect(outputs[0] == outputs[1])
        let text = try Self.shell("zstd -q -dc out/0.jsonl.zst out/1.jsonl.zst dead.jsonl.zst", in: command.folder)
        let kept = Self.lines.split(separator: "\n", omittingEmptySubsequences: true).enumerated().filter { $0.offset % 3 != 1 }
        let expected = (kept.filter { $0.offset % 2 == 0 } + kept.filter { $0.offset % 2 == 1 }).map { $0.element + "\n" }.joined()
        #expect(String(decoding: text, as: UTF8.self) == expected)
        #expect(try command.run("audit", ".sluice/t/report.json").status == 0)
    }

    @Test("text in a file called .gz is read, and the summary says so; zero bytes are an empty input")
    func names() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write("{\"a\":1}\n", to: "a.jsonl.gz")
        try command.write("", to: "b.jsonl.gz")
        try command.write("name: t\nsource: {files: '*.gz', format: jsonl}\nsink: {stdout: true}\n", to: "p.yaml")
        let result = try command.run("run", "p.yaml", "--progress", "none")
        #expect(result.status == 0)
        #expect(result.output == "{\"a\":1}\n")
        #expect(result.error.contains("note: a.jsonl.gz: plain text despite its name; read as such"))
        #expect(!result.error.contains("b.jsonl.gz: called"))
    }

    @Test("an output called .xz is refused before anything is read")
    func unwritable() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write("{\"a\":1}\n", to: "a.jsonl")
        try command.write("name: t\nsource: {files: a.jsonl}\nsink: {file: out.jsonl.xz}\n", to: "p.yaml")
        let result = try command.run("run", "p.yaml", "--progress", "none")
        #expect(result.status == 2)
        #expect(result.error.contains("'.xz' can be read but not written"))
    }
}
