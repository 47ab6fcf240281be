import Foundation
import Glibc
import SluiceRecords
import Testing

@Suite("Input files")
struct InputFilesTests {
    /// Creates a temporary folder with the given files for the duration of a test.
    private static func inFolder(_ files: [String], _ body: (String) throws -> Void) throws {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("sluice-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: root) }
        for file in files {
            let path = root.appendingPathComponent(file)
            try FileManager.default.createDirectory(at: path.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data("x".utf8).write(to: path)
        }
        try body(root.path)
    }

    private static let files = [
        "a.gz", "b.gz", "B.gz", "c.log", ".hidden.gz", "ä.gz", "d/a.gz", "d/e/a.gz", "d/e/f.log", "d/.h/a.gz", "w[1].gz", "w1.gz", "x,y.gz", "z/1/q",
    ]

    private static let patterns: [([String], [String])] = [
        (["*.gz"], ["B.gz", "a.gz", "b.gz", "w1.gz", "w[1].gz", "x,y.gz", "ä.gz"]),
        (["?.gz"], ["B.gz", "a.gz", "b.gz", "ä.gz"]),
        (["[ab].gz"], ["a.gz", "b.gz"]), (["[!a-z].gz"], ["B.gz", "ä.gz"]), (["[]a].gz"], ["a.gz"]),
        (["{b,a}.gz"], ["a.gz", "b.gz"]), (["{a,d/{a,e/a}}.gz"], ["a.gz", "d/a.gz", "d/e/a.gz"]),
        (["**/a.gz"], ["a.gz", "d/a.gz", "d/e/a.gz"]), (["d/**"], ["d/a.gz", "d/e/a.gz", "d/e/f.log"]),
        (["d/**/*.gz"], ["d/a.gz", "d/e/a.gz"]), (["**/**/f.log"], ["d/e/f.log"]), (["*/*/q"], ["z/1/q"]),
        ([".*.gz"], [".hidden.gz"]), (["d/.*/*"], ["d/.h/a.gz"]),
        (["w[1].gz"], ["w[1].gz"]), (["w\\[1].gz"], ["w[1].gz"]), (["w[1].g?"], ["w1.gz"]), (["x\\,y.gz"], ["x,y.gz"]),
        (["b.gz", "a.gz", "b.gz"], ["a.gz", "b.gz"]), (["./d//a.gz", "d/a.gz", "d/./*.gz"], ["d/a.gz"]),
        (["*"], ["B.gz", "a.gz", "b.gz", "c.log", "w1.gz", "w[1].gz", "x,y.gz", "ä.gz"]),
    ]

    @Test("finds what a shell would, in the order of bytes", arguments: patterns)
    func finds(patterns: [String], expected: [String]) throws {
        try Self.inFolder(Self.files) { root in
            let found = try InputFiles.expand(patterns.map { root + "/" + $0 })
            #expect(found.map(\.path) == expected.map { root + "/" + $0 })
            #expect(found.allSatisfy { $0.size == 1 })
        }
    }

    @Test("finds the same behind addresses", arguments: patterns.filter { !$0.0.contains { $0.contains("./") } })
    func findsObjects(patterns: [String], expected: [String]) throws {
        try Self.inFolder(Self.files) { root in
            let found = try InputFiles.expand(patterns.map { "file://\(root)/\($0)" })
            #expect(found.map(\.path) == expected.map { "file://\(root)/\($0)" })
            #expect(found.allSatisfy { $0.size == 1 && $0.version != nil })
        }
    }

    @Test(
        "an address begins with a scheme",
        arguments: [
            ("s3://b/k", true), ("HDFS://h:1/x", true), ("a+b://x", true), ("file:///x", true), ("://x", false), ("s3:/b/k", false), ("./s3://b/k", false),
            ("-", false), ("in/s3://b", false), ("", false), ("a_b://x", false),
        ])
    func address(path: String, isAddress: Bool) {
        #expect(Address.isAddress(path) == isAddress)
    }

    @Test(
        "says which pattern or path is wrong, and why",
        arguments: [
            ("*.zip", "no file matches '%/*.zip'"), ("none.gz", "%/none.gz: no such file"), ("a.gz/b", "%/a.gz/b: no such file"),
            ("d", "%/d is a folder; give its files: %/d/*"), ("z/*", "no file matches '%/z/*'"),
            ("{a,b.gz", "'%/{a,b.gz' is not a valid pattern: '{' without '}'; write '\\{' for a literal '{'"),
            ("[a.gz", "'%/[a.gz' is not a valid pattern: '[' without ']'; write '\\[' for a literal '['"),
            ("[z-a].gz", "'%/[z-a].gz' is not a valid pattern: a reversed range in '[z-a]'"),
            ("{1,2}{1,2}{1,2}{1,2}{1,2}{1,2}{1,2}{1,2}{1,2}{1,2}{1,2}{1,2}{1,2}{1,2}", "its braces expand to more than 10000 patterns"),
        ])
    func refuses(pattern: String, message: String) throws {
        try Self.inFolder(Self.files) { root in
            let error = #expect(throws: InputError.self) { try InputFiles.expand([root + "/" + pattern]) }
            let text = try #require(error).description
            #expect(text.hasSuffix(message.replacingOccurrences(of: "%", with: root)), "\(text)")
        }
    }

    @Test("a dangling link is an error, a link to a file is a file, a cycle of links ends")
    func links() throws {
        try Self.inFolder(["d/a.gz"]) { root in
            let files = FileManager.default
            try files.createSymbolicLink(atPath: root + "/d/again", withDestinationPath: root + "/d")
            try files.createSymbolicLink(atPath: root + "/l.gz", withDestinationPath: root + "/d/a.gz")
            #expect(try InputFiles.expand([root + "/**/*.gz"]).map(\.path) == [root + "/d/a.gz", root + "/l.gz"])
            try files.createSymbolicLink(atPath: root + "/dead.gz", withDestinationPath: root + "/nowhere")
            #expect(throws: InputError.unreadable(path: root + "/dead.gz", reason: "it is a broken link")) {
                try InputFiles.expand([root + "/*.gz"])
            }
        }
    }

    @Test("'-' is standard input; an empty name and a name with NUL are refused")
    func otherNames() throws {
        #expect(try InputFiles.expand(["-", "-"]) == [.standardInput])
        #expect(throws: InputError.badPattern(pattern: "", reason: "it is empty")) { try InputFiles.expand([""]) }
        #expect(throws: InputError.badPattern(pattern: "a\0", reason: "it contains a NUL character")) { try InputFiles.expand(["a\0"]) }
    }

    @Test("a pattern of many asterisks does not take exponential time")
    func manyStars() throws {
        let name = String(repeating: "a", count: 200)
        try Self.inFolder([name]) { root in
            #expect(throws: InputError.self) { try InputFiles.expand([root + "/" + String(repeating: "*a", count: 60) + "b"]) }
        }
    }

    /// Creates an empty file at a path that may contain any bytes.
    private static func touch(_ path: [UInt8]) throws {
        let descriptor = open(path.map { CChar(bitPattern: $0) } + [0], O_CREAT | O_WRONLY, 0o644)
        try #require(descriptor >= 0)
        close(descriptor)
    }

    @Test("a name that is not UTF-8 is ignored, unless a pattern matches it; then it is refused")
    func otherEncodings() throws {
        try Self.inFolder(["logs/a.jsonl", "logs/d/b.jsonl"]) { root in
            try Self.touch(Array("\(root)/logs/caf".utf8) + [0xE9] + Array(".txt".utf8))
            let folder = Array("\(root)/logs/d".utf8) + [0xFF]
            mkdir(folder.map { CChar(bitPattern: $0) } + [0], 0o755)
            for pattern in ["logs/a*.jsonl", "logs/*.jsonl", "logs/[!c]*.jsonl"] {
                #expect(try InputFiles.expand([root + "/" + pattern]).map(\.path) == [root + "/logs/a.jsonl"], "\(pattern)")
            }
            #expect(try InputFiles.expand([root + "/**/*.jsonl"]).map(\.path) == [root + "/logs/a.jsonl", root + "/logs/d/b.jsonl"])
            let refused = InputError.unreadable(path: root + "/logs/caf\\xE9.txt", reason: "its name is not UTF-8; rename it")
            for pattern in ["logs/*", "logs/caf?.txt", "logs/caf[!x].txt", "**/*.txt"] {
                #expect(throws: refused, "\(pattern)") { try InputFiles.expand([root + "/" + pattern]) }
            }
            try Self.touch(folder + Array("/c.jsonl".utf8))
            #expect(throws: InputError.unreadable(path: root + "/logs/d\\xFF/c.jsonl", reason: "its name is not UTF-8; rename it")) {
                try InputFiles.expand([root + "/**/*.jsonl"])
            }
        }
    }

    /// Two spellings of `café.gz` that compare equal as Swift strings.
    private static let (composed, decomposed) = ("caf\u{E9}.gz", "cafe\u{301}.gz")

    @Test(
        "names that look alike and differ in their bytes are two files; `?` and a set stand for one code point, as in a shell",
        arguments: [
            (["*.gz"], [decomposed, composed]), ([composed], [composed]), ([composed, decomposed], [decomposed, composed]),
            (["caf{\u{E9},e\u{301}}.g?"], [decomposed, composed]), (["caf?.gz"], [composed]), (["caf[\u{E0}-\u{EF}].gz"], [composed]),
            (["x/\u{301}a.gz", "x//\u{301}?.gz"], ["x/\u{301}a.gz"]),
        ] as [([String], [String])])
    func lookAlikes(patterns: [String], expected: [String]) throws {
        try Self.inFolder([Self.composed, Self.decomposed, "x/\u{301}a.gz"]) { root in
            let found = try InputFiles.expand(patterns.map { root + "/" + $0 })
            #expect(found.map { Array($0.path.utf8) } == expected.map { Array((root + "/" + $0).utf8) })
        }
        #expect(InputFile(path: Self.composed) != InputFile(path: Self.decomposed))
    }

    @Test("a pattern matches only files: pipes, sockets and devices are skipped and named, and can be read by their own path")
    func special() throws {
        try Self.inFolder(["d/a.gz"]) { root in
            mkfifo(root + "/d/feed.gz", 0o644)
            symlink("/dev/null", root + "/d/null.gz")
            let matches = try InputFiles.matches(of: [root + "/d/*", root + "/**/*.gz"])
            #expect(matches.files.map(\.path) == [root + "/d/a.gz"])
            #expect(matches.passedOver == ["\(root)/d/feed.gz is a named pipe", "\(root)/d/null.gz is a device"])
            let error = #expect(throws: InputError.self) { try InputFiles.expand([root + "/d/f*"]) }
            #expect(error?.description == "no file matches '\(root)/d/f*'; \(root)/d/feed.gz is a named pipe")
            #expect(try InputFiles.expand([root + "/d/feed.gz", "/dev/null"]).map(\.path) == ["/dev/null", root + "/d/feed.gz"])
        }
    }
}
