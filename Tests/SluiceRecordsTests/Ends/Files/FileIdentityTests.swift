import Foundation
import SluiceRecords
import Testing

@Suite("File identity")
struct FileIdentityTests {
    private static let files = FileManager.default

    /// Creates a temporary folder with `d/e/f` and `g` in it for the duration of a test.
    private static func inFolder(_ body: (String) throws -> Void) throws {
        let root = files.temporaryDirectory.path + "/sluice-\(UUID().uuidString)"
        defer { try? files.removeItem(atPath: root) }
        try files.createDirectory(atPath: root + "/d/e", withIntermediateDirectories: true)
        for file in ["/d/e/f", "/g"] { try Data("x".utf8).write(to: URL(fileURLWithPath: root + file)) }
        try body(root)
    }

    private static func link(_ path: String, to target: String) throws {
        try files.createSymbolicLink(atPath: path, withDestinationPath: target)
    }

    @Test(
        "is one for all spellings of a file that is there",
        arguments: ["d/e/f", "./d//e/./f", "d/../d/e/f", "d/e/../e/f", "d/l/f", "d/l/../e/f", "whole", "twice", "hard", "d/e/f/"])
    func spellings(path: String) throws {
        try Self.inFolder { root in
            try Self.link(root + "/d/l", to: "e")
            try Self.link(root + "/whole", to: root + "/d/e/f")
            try Self.link(root + "/twice", to: "whole")
            try Self.files.linkItem(atPath: root + "/d/e/f", toPath: root + "/hard")
            let identity = try FileIdentity(root + "/" + path)
            #expect(try identity == FileIdentity(root + "/d/e/f"))
            #expect(identity.exists)
            #expect(try identity != FileIdentity(root + "/g"))
        }
    }

    @Test(
        "is one for all spellings of a file that is not there yet, in folders that are not there yet",
        arguments: ["d/new/deep/x", "d/./new//deep/x", "d/new/other/../deep/x", "none/../d/new/deep/x", "d/l/../new/deep/x", "dangling"])
    func missing(path: String) throws {
        try Self.inFolder { root in
            try Self.link(root + "/d/l", to: "e")
            try Self.link(root + "/dangling", to: "d/new/deep/x")
            let identity = try FileIdentity(root + "/" + path)
            #expect(try identity == FileIdentity(root + "/d/new/deep/x"))
            #expect(!identity.exists)
            #expect(try identity != FileIdentity(root + "/d/new/deep"))
            #expect(try identity != FileIdentity(root + "/d/new/deep/y"))
        }
    }

    @Test("of a missing file depends on the bytes of its name")
    func bytes() throws {
        try Self.inFolder { root in
            let identity = try FileIdentity(root + "/new/\u{E9}/x")
            #expect(try identity == FileIdentity(root + "/new/\u{E9}/x"))
            #expect(try identity != FileIdentity(root + "/new/e\u{301}/x"))
        }
    }

    @Test("is the same for a relative and an absolute path, and for an open file")
    func relative() throws {
        let here = Self.files.currentDirectoryPath
        #expect(try FileIdentity("no-such-file") == FileIdentity(here + "/no-such-file"))
        #expect(try FileIdentity(".") == FileIdentity(here))
        #expect(try FileIdentity("/..") == FileIdentity("/"))
        try Self.inFolder { root in
            let file = try #require(FileHandle(forReadingAtPath: root + "/g"))
            #expect(try FileIdentity(descriptor: file.fileDescriptor) == FileIdentity(root + "/g"))
        }
    }

    @Test("fails for a cycle of links, a path below a file, and an impossible path")
    func refused() throws {
        try Self.inFolder { root in
            try Self.link(root + "/a", to: "b")
            try Self.link(root + "/b", to: "a")
            #expect(throws: InputError.unreadable(path: root + "/a", reason: "Too many levels of symbolic links")) { try FileIdentity(root + "/a") }
            #expect(throws: InputError.unreadable(path: root + "/g/x", reason: "Not a directory")) { try FileIdentity(root + "/g/x") }
            #expect(throws: InputError.missing(path: "")) { try FileIdentity("") }
            #expect(throws: InputError.unreadable(path: "a\0b", reason: "it contains a NUL character")) { try FileIdentity("a\0b") }
            #expect(throws: InputError.self) { try FileIdentity(descriptor: -1) }
        }
    }

    @Test("a link has its own place, unless links are followed; two hard links are two places")
    func places() throws {
        try Self.inFolder { root in
            try Self.link(root + "/l", to: "d/e/f")
            try Self.link(root + "/folder", to: "d")
            try Self.files.linkItem(atPath: root + "/g", toPath: root + "/hard")
            #expect(try FilePlace(root + "/l") != FilePlace(root + "/d/e/f"))
            #expect(try FilePlace(root + "/l", followingLinks: true) == FilePlace(root + "/d/e/f"))
            #expect(try FilePlace(root + "/folder/e/f") == FilePlace(root + "/d/e/f"))
            #expect(try FilePlace(root + "/g") != FilePlace(root + "/hard"))
            #expect(try FilePlace(root + "/new/x") == FilePlace(root + "/d/../new/x"))
            #expect(try FilePlace(root + "/d/e") == FilePlace(root + "/folder/e"))
            let (link, top) = try (FilePlace(root + "/l"), FilePlace("/"))
            #expect(link.name == Array("l".utf8))
            #expect(top.name == nil)
        }
    }
}
