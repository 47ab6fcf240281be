import Foundation
import Testing

@testable import SluiceRecords

@Suite("Encodings")
struct DecodedTextTests {
    private static func read(_ bytes: [UInt8], _ encoding: TextEncoding, chunk: Int = 256 << 10) throws -> ReadAll {
        try ReadAll(bytes, chunk: chunk, name: "a.log", encoding: encoding)
    }

    private static func utf16(_ text: String, isBig: Bool, mark: Bool) -> [UInt8] {
        ((mark ? [0xFEFF] : []) + Array(text.utf16)).flatMap { isBig ? [UInt8($0 >> 8), UInt8($0 & 0xFF)] : [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
    }

    static let texts = ["", "plain", "Grüße, 世界 \u{1F600}", "a\nb", "é\n\u{10FFFF}\nend"]

    @Test("of UTF-16 in either byte order, with and without a mark, however bytes arrive", arguments: texts, [1, 2, 3, 256 << 10])
    func utf16(text: String, chunk: Int) throws {
        let lines = text.split(separator: "\n").map(String.init)
        for (encoding, isBig, mark) in [
            (.utf16, false, true), (.utf16, true, true), (.utf16, false, false), (.utf16LittleEndian, false, false), (.utf16LittleEndian, false, true),
            (.utf16BigEndian, true, false), (.utf16BigEndian, true, true),
        ] as [(TextEncoding, Bool, Bool)] {
            let all = try Self.read(Self.utf16(text, isBig: isBig, mark: mark), encoding, chunk: chunk)
            #expect(all.texts == lines, "\(encoding) \(isBig) \(mark)")
        }
    }

    @Test("invalid characters become U+FFFD, and nothing after them is lost")
    func broken() throws {
        let units: [UInt8] = [0x61, 0, 0x00, 0xD8, 0x62, 0, 0x00, 0xDC, 0x0A, 0, 0x3D, 0xD8, 0x3D, 0xD8, 0x00, 0xDE, 0x0A, 0, 0x63, 0, 0x00, 0xD8, 0x64]
        #expect(try Self.read(units, .utf16LittleEndian).texts == ["a\u{FFFD}b\u{FFFD}", "\u{FFFD}\u{1F600}", "c\u{FFFD}"])
    }

    @Test("every byte of Latin-1 is a character")
    func latin1() throws {
        let bytes = (UInt8(0x20)...0xFF).map { $0 }
        let expected = String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
        #expect(try Self.read(bytes + [0x0A] + bytes, .latin1, chunk: 7).texts == [expected, expected])
    }

    @Test("a large text, compressed, has the same records as in UTF-8", arguments: [TextEncoding.utf16, .utf16BigEndian, .latin1])
    func large(encoding: TextEncoding) throws {
        let text = (0..<60_000).map { "line \($0) with é and ÿ\n" }.joined()
        let bytes = encoding == .latin1 ? text.unicodeScalars.map { UInt8($0.value) } : Self.utf16(text, isBig: encoding == .utf16BigEndian, mark: true)
        let all = try ReadAll(GzipSamples.member(bytes), name: "a.gz", encoding: encoding)
        #expect(all.records.flatMap { $0.bytes + [0x0A] } == Array(text.utf8))
        #expect(all.damage == [])
    }

    @Test("noise of any length never crashes or hangs", arguments: TextEncoding.allCases, 1...3)
    func noise(encoding: TextEncoding, seed: Int) throws {
        var random = Seeded(UInt64(seed))
        for count in 0..<200 {
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            guard let one = try? Self.read(bytes, encoding, chunk: 5), let other = try? Self.read(bytes, encoding) else { continue }
            #expect(one == other)
            if encoding != .utf8 { #expect(one.records.allSatisfy { String(validating: $0.bytes, as: UTF8.self) != nil }) }
        }
    }
}
