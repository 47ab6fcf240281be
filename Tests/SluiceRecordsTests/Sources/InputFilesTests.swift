import Foundation
import SluiceRecords
import Testing

@Suite("Input files")
struct InputFilesTests {
    /// A folder with the files of a table, gone when the test is.
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

    @Test(
        "finds what a shell would, in the order of bytes",
        arguments: [
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
        ] as [([String], [String])])
    func finds(patterns: [String], expected: [String]) throws {
        try Self.inFolder(Self.files) { root in
            let found = try InputFiles.expand(patterns.map { root + "/" + $0 })
            #expect(found.map(\.path) == expected.map { root + "/" + $0 })
            #expect(found.allSatisfy { $0.size == 1 })
        }
    }

    @Test(
        "says which pattern or path is wrong, and why",
        arguments: [
            ("*.zip", "no file matches '%/*.zip'"), ("none.gz", "%/none.gz: no such file"), ("a.gz/b", "%/a.gz/b: no such file"),
            ("d", "%/d is a folder; name its files: %/d/*"), ("z/*", "no file matches '%/z/*'"),
            ("{a,b.gz", "'%/{a,b.gz' is not a pattern: a '{' without its '}'; write '\\{' for the character"),
            ("[a.gz", "'%/[a.gz' is not a pattern: a '[' without its ']'; write '\\[' for the character"),
            ("[z-a].gz", "'%/[z-a].gz' is not a pattern: a range that runs backwards in '[z-a]'"),
            ("{1,2}{1,2}{1,2}{1,2}{1,2}{1,2}{1,2}{1,2}{1,2}{1,2}{1,2}{1,2}{1,2}{1,2}", "its braces stand for more than 10000 patterns"),
        ])
    func refuses(pattern: String, message: String) throws {
        try Self.inFolder(Self.files) { root in
            let error = #expect(throws: InputError.self) { try InputFiles.expand([root + "/" + pattern]) }
            let text = try #require(error).description
            #expect(text.hasSuffix(message.replacingOccurrences(of: "%", with: root)), "\(text)")
        }
    }

    @Test("a link to nothing is an error, a link to a file is a file, a circle of links ends")
    func links() throws {
        try Self.inFolder(["d/a.gz"]) { root in
            let files = FileManager.default
            try files.createSymbolicLink(atPath: root + "/d/again", withDestinationPath: root + "/d")
            try files.createSymbolicLink(atPath: root + "/l.gz", withDestinationPath: root + "/d/a.gz")
            #expect(try InputFiles.expand([root + "/**/*.gz"]).map(\.path) == [root + "/d/a.gz", root + "/l.gz"])
            try files.createSymbolicLink(atPath: root + "/dead.gz", withDestinationPath: root + "/nowhere")
            #expect(throws: InputError.unreadable(path: root + "/dead.gz", reason: "it is a link to nothing")) {
                try InputFiles.expand([root + "/*.gz"])
            }
        }
    }

    @Test("'-' is standard input, an empty name and one with NUL are refused")
    func special() throws {
        #expect(try InputFiles.expand(["-", "-"]) == [.standardInput])
        #expect(throws: InputError.badPattern(pattern: "", reason: "it is empty")) { try InputFiles.expand([""]) }
        #expect(throws: InputError.badPattern(pattern: "a\0", reason: "it contains a NUL character")) { try InputFiles.expand(["a\0"]) }
    }

    @Test("a pattern of many stars takes no exponential time")
    func manyStars() throws {
        let name = String(repeating: "a", count: 200)
        try Self.inFolder([name]) { root in
            #expect(throws: InputError.self) { try InputFiles.expand([root + "/" + String(repeating: "*a", count: 60) + "b"]) }
        }
    }
}
