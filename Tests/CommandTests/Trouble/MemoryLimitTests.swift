import Foundation
import Testing

#if SLUICE_TSAN
    private let isSanitized = true
#else
    private let isSanitized = false
#endif

/// Refused memory, played by `Tests/Trouble/memory.c`.
@Suite("Refused memory", .timeLimit(Patience.hang), .enabled(if: !isSanitized, "the sanitizer has its own malloc"))
struct MemoryLimitTests {
    private static let library = Result { try TroubleLibrary.build("memory") }

    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        /// A Python expression for the input's bytes.
        var input: String
        var file: String
        var stage: String
        /// From how many bytes on memory is refused.
        var bytes: Int
    }

    private static let cases = [
        Case(
            testDescription: "for a long record", input: #"(b'{"s":"' + b"x" * 5000000 + b'"}\n') * 2"#, file: "in.jsonl", stage: "keep: true",
            bytes: 6_000_000),
        Case(
            testDescription: "for a value that a stage makes", input: #"(b'{"s":"' + b"x" * 5000000 + b'"}\n') * 2"#, file: "in.jsonl",
            stage: "keep: string(s) + string(s) != ''", bytes: 9_000_000),
        Case(
            testDescription: "by liblzma, which is no damage", input: #"lzma.compress(b'{"s":1}\n' * 1000, preset=6)"#, file: "in.jsonl.xz",
            stage: "keep: true", bytes: 6_000_000),
        Case(
            testDescription: "by libbz2, which is no damage", input: #"bz2.compress(b'{"s":1}\n' * 1000)"#, file: "in.jsonl.bz2", stage: "keep: true",
            bytes: 3_000_000),
    ]

    @Test("ends a command with a sentence, as if it were killed; run again, it gives the same output", arguments: cases)
    func refused(_ test: Case) throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write("import bz2, lzma, sys\nsys.stdout.buffer.write(\(test.input))\n", to: "make.py")
        #expect(try command.shell("python3 make.py > \(test.file)").status == 0)
        try command.write(
            "name: x\nsource: {files: '\(test.file)', format: jsonl}\nstages: [{\(test.stage)}]\nsink: {file: out.jsonl}\n", to: "x.yaml")
        let refused = try command.run(
            ["run", "x.yaml", "--progress", "none"], environment: ["LD_PRELOAD": try Self.library.get(), "TROUBLE_BYTES": "\(test.bytes)"])
        #expect(refused.status == 1)
        #expect(refused.error.hasPrefix("sluice: the system refuses memory"), "\(refused.error)")
        #expect(refused.error.hasSuffix("(ulimit -v)\n"), "\(refused.error)")
        #expect(!FileManager.default.fileExists(atPath: command.folder.appending(path: "out.jsonl").path))
        let again = try command.run("run", "x.yaml", "--progress", "none")
        #expect(again.status == 0, "\(again.error)")
        #expect(!again.error.contains("damage"), "\(again.error)")
        let reader = test.file.hasSuffix(".xz") ? "lzma" : test.file.hasSuffix(".bz2") ? "bz2" : "io"
        try command.write("import \(reader), sys\nsys.stdout.buffer.write(\(reader).open('\(test.file)', 'rb').read())\n", to: "read.py")
        #expect(try command.shell("python3 read.py | cmp - out.jsonl && echo same").output == "same\n")
    }
}
