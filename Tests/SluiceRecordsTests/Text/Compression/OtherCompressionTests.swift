import Foundation
import Testing

@testable import SluiceRecords

@Suite("Unsupported compression formats")
struct OtherCompressionTests {
    /// The first bytes, or all bytes, of files written by the programs themselves, with five short
    /// records or none.
    private static let files: [(String, String)] = [
        ("lzma", "5d00008000ffffffffffffffff003d8889c237289e2556a3af1ae21b52af6c4bd063aefbfffee1a800"),
        ("lzma", "5d00000004ffffffffffffffff003d8889c237289e2556a3af1ae21b52af6c4bd063aefbfffee1a800"),
        ("lz4", "04224d186440a71f000000817b226e223a307d0a08001331080013320800b0337d0a7b226e223a347d0a000000007e4c55e0"),
        ("lz4", "02214c181f000000817b226e223a307d0a08001331080013320800b0337d0a7b226e223a347d0a"),
        (
            "lz4",
            "502a4d18040000006162636404224d186440a71f000000817b226e223a307d0a08001331080013320800b0337d0a7b226e223a347d0a00" + "0000007e4c55e0"
        ),
        ("lzip", "4c5a4950010c003d8889c237289e2556a3af1ae21b52af6c4bd063aefbfffee1a8003727b74228000000000000003600000000000000"),
        ("lzop", "894c5a4f000d0a1a0a104020a0094001050300000d000000006b0a4547000000000026fc02710000"),
        ("zip", "504b0304140000000000d7187c5d3727b742280000002800000001000000617b226e223a307d0a7b226e223a317d0a7b226e223a327d0a7b226e223a"),
        ("zip", "504b0506000000000000000000000000000000000000"),
        ("zlib", "7801012800d7ff7b226e223a307d0a7b226e223a317d0a7b226e223a327d0a7b226e223a337d0a7b226e223a347d0ade760aa1"),
        ("zlib", "7801ab56ca53b232a8e5aa06d18650da084a1b4369935a2e00de760aa1"),
        ("zlib", "789cab56ca53b232a8e5aa06d18650da084a1b4369935a2e00de760aa1"),
        ("zlib", "78daab56ca53b232a8e5aa06d18650da084a1b4369935a2e00de760aa1"),
        ("zlib", "1895ab56ca53b232a8e5aa06d18650da084a1b4369935a2e00de760aa1"),
        ("snappy", "ff060000734e615070590105"),
        ("compress (.Z)", "1f9d9068cab06173460101"),
        ("pack (.z)", "1f1e00000010"),
        ("7z", "377abcaf271c0004"),
        ("rar", "526172211a0700"),
    ]

    private static func bytes(_ hexadecimal: String) -> [UInt8] {
        stride(from: 0, to: hexadecimal.utf8.count, by: 2).compactMap { UInt8(hexadecimal.dropFirst($0).prefix(2), radix: 16) }
    }

    @Test("are refused by name, whatever the file is called and however slowly it arrives", arguments: files)
    func refused(name: String, hexadecimal: String) {
        for chunk in [1, 7, 256 << 10] {
            for file in ["test.gz", "test.log", "-"] {
                let error = InputError.unsupported(path: file, compression: name)
                #expect(throws: error, "\(chunk) bytes at a time") { try ReadAll(Self.bytes(hexadecimal), chunk: chunk, name: file) }
            }
        }
    }

    @Test("a long zlib stream is recognized by its beginning, a tar archive by its first header")
    func long() {
        let text = (0..<40_000).flatMap { Array("{\"n\":\($0),\"square\":\($0 &* $0 &* 2_654_435_761)}\n".utf8) }
        #expect(throws: InputError.unsupported(path: "test.gz", compression: "zlib")) { try ReadAll([0x78, 0x9C] + GzipSamples.deflated(text)) }
        for magic in ["ustar\u{0}00", "ustar  \u{0}", ""] {
            for chunk in [1, 300, 256 << 10] {
                #expect(throws: InputError.unsupported(path: "a.tar", compression: "tar"), "\(magic), \(chunk) bytes at a time") {
                    try ReadAll(Self.tar(magic: magic, size: 1_000) + [UInt8](repeating: 0x61, count: 1_024), chunk: chunk, name: "a.tar")
                }
            }
        }
    }

    @Test("a compressed tar archive is refused as one, however its bytes come", arguments: [1, 100, 256 << 10])
    func compressedArchive(most: Int) {
        let archive = Self.tar(magic: "ustar\u{0}00", size: 1_000) + [UInt8](repeating: 0x0A, count: 1_024)
        for members in [GzipSamples.member(archive), GzipSamples.member(Array(archive[..<300])) + GzipSamples.member(Array(archive[300...]))] {
            #expect(throws: InputError.unsupported(path: "a.log.gz", compression: "tar")) {
                try ReadAll(members, most: most, name: "a.log.gz")
            }
        }
    }

    /// A header block for a file `logs/a.log`.
    static func tar(magic: String, size: Int) -> [UInt8] {
        var header = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, at place: Int) { header.replaceSubrange(place..<place + text.utf8.count, with: text.utf8) }
        put("logs/a.log", at: 0)
        put("0000644", at: 100)
        put(String(size, radix: 8), at: 124)
        put("        0", at: 148)
        put(magic, at: 257)
        put(String(header.reduce(0) { $0 + Int($1) }, radix: 8) + "\u{0} ", at: 148)
        return header
    }

    @Test(
        "text that only begins like them is text",
        arguments: [
            "BZh9 is a title", "BZh91AY&S", "BZh", "PK is a name", "PK\u{3}", "LZIP is a program", "LZIP", "7z", "Rar! he said", "]", "] [", "x^2 + y^2 = z^2",
            "x^2", "x^", "x", "h\u{1}", "X\u{9}a table", "8\u{B}", "(\u{B5}/", "P*M", "_*M*", "\u{1F}separated\u{1F}text", "\u{4}\"M", "SNaPpY", "ustar",
        ])
    func nearMisses(line: String) throws {
        for chunk in [1, 256 << 10] {
            #expect(try ReadAll(Array((line + "\n").utf8), chunk: chunk, name: "a.log").texts == [line])
            let long = line + String(repeating: " and so on, and on, \u{E9}", count: 400)
            #expect(try ReadAll(Array((long + "\n").utf8), chunk: chunk, name: "a.log").texts == [long])
        }
    }

    @Test("bytes that are not UTF-8 are not taken for compression")
    func otherEncodings() throws {
        for bytes in [[0x78, 0x9C], [0x78, 0xDA], [0x68, 0x81], [0x28, 0xB5], [0x28, 0xB5, 0x2F], [0xFD, 0x37, 0x7A], [0x5D, 0, 0x61, 0]] as [[UInt8]] {
            for rest in ["", " in Latin-1", String(repeating: " a line of some words", count: 300)] {
                #expect(try ReadAll(bytes + Array((rest + "\n").utf8), name: "a.log").records.count == 1, "\(bytes) \(rest)")
            }
        }
    }

    @Test("text is text whatever its first two letters")
    func letters() throws {
        let rest = Array(" the quick brown fox jumps over the lazy dog, and on, and over the next one, and so forth\n".utf8)
        for first in UInt8(0x20)...0x7E {
            for second in UInt8(0x20)...0x7E {
                let window = Self.window([first, second] + rest)
                guard Compression.detect(in: window, name: "a.log") == .none else {
                    Issue.record("\(first) \(second)")
                    continue
                }
            }
        }
    }

    @Test("text of the width of a tar header is not a tar archive")
    func wideText() throws {
        var text = [UInt8](repeating: 0x20, count: 1_024)
        text.replaceSubrange(257..<262, with: "ustar".utf8)
        #expect(Compression.detect(in: Self.window(text), name: "a") == .none)
        text.replaceSubrange(148..<155, with: "0012345".utf8)
        #expect(Compression.detect(in: Self.window(text), name: "a") == .none)
        text[50] = 0
        #expect(Compression.detect(in: Self.window(text), name: "a") == .none)
        #expect(Compression.detect(in: Self.window([UInt8](repeating: 0, count: 2_048)), name: "a") == .none)
    }

    private static func window(_ bytes: [UInt8]) -> InputWindow {
        var at = 0
        return InputWindow(chunk: 4096) { memory in
            let count = min(memory.count, bytes.count - at)
            bytes[at..<at + count].withUnsafeBytes { memory.copyMemory(from: $0) }
            at += count
            return count
        }
    }
}
