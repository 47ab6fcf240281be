import Testing

@testable import SluiceRecords

@Suite("Damaged gzip")
struct DamagedGzipTests {
    private static let first = GzipSamples.member(GzipSamples.text(0..<400))
    private static let second = GzipSamples.member(GzipSamples.text(400..<800))
    private static let lines = GzipSamples.lines(0..<800)

    @Test("truncated inside a member: complete records before the end, and the length of the truncated one", arguments: libraries)
    func truncated(library: DeflateLibrary) throws {
        let whole = Self.first + Self.second
        let input = Array(whole.dropLast(500))
        let read = try ReadAll(input, library: library)
        #expect(read.texts == Array(Self.lines.prefix(read.texts.count)))
        #expect(read.texts.count > 700)
        let lost = read.summary.textBytes - UInt64(read.texts.map { $0.utf8.count + 1 }.reduce(0, +))
        #expect(read.damage == [Damage(kind: .truncated, offset: UInt64(input.count), member: 1, lostBytes: 0, lostText: lost)])
        #expect(lost < 100)
    }

    @Test("corrupt data: complete records before it, and after the first line end of the next member", arguments: libraries)
    func corrupt(library: DeflateLibrary) throws {
        var input = Self.first + Self.second
        // A block of the reserved type in the middle of the stream.
        for index in 3000..<3100 { input[index] = 0xFF }
        let read = try ReadAll(input, library: library)
        #expect(read.kinds == [.corrupt])
        let damage = try #require(read.damage.first)
        #expect(damage.member == 0)
        #expect((3000..<Self.first.count).contains(Int(damage.offset)))
        #expect(damage.offset + damage.lostBytes == UInt64(Self.first.count))
        // Nothing tells whether members end at ends of lines.
        #expect(read.texts.suffix(399) == Self.lines[401...] && read.torn == [Self.lines[400]])
        #expect(read.texts.prefix(100) == Self.lines[..<100])
        #expect(read.records.suffix(399).allSatisfy { $0.position.member == 1 })
        #expect(Set(read.records.map(\.position.line)).count == read.records.count)
    }

    @Test("wrong CRC and wrong length: everything is delivered and reported", arguments: libraries)
    func wrongTrailer(library: DeflateLibrary) throws {
        let end = Self.first.count
        for (place, kind, met) in [(end - 8, Damage.Kind.crc, end - 8), (end - 1, .length, end - 4)] {
            var input = Self.first + Self.second
            input[place] ^= 0x10
            let read = try ReadAll(input, library: library)
            #expect(read.texts == Self.lines)
            #expect(read.damage == [Damage(kind: kind, offset: UInt64(met), member: 0, lostBytes: 0, lostText: 0)])
        }
    }

    @Test("text that is too short for its trailer is known to be missing, if there can have been so much", arguments: libraries)
    func missing(library: DeflateLibrary) throws {
        let text = Array(GzipSamples.text(0..<400).utf8)
        let short = GzipSamples.bytes(of: .init()) + GzipSamples.deflated(Array(text.dropLast(84)))
        for (count, missing) in [(UInt64(text.count), 84), (UInt64(text.count - 90), 0), (UInt64(text.count) + 1 << 30, 0)] as [(UInt64, UInt64)] {
            let trailer = GzipSamples.little(UInt64(GzipSamples.crc(text)), 4) + GzipSamples.little(count, 4)
            let read = try ReadAll(short + trailer, library: library)
            #expect(read.damage == [Damage(kind: .crc, offset: UInt64(short.count), member: 0, lostBytes: 0, lostText: missing)])
            // What was read of the record that the damage cut off is missing, too.
            let cut = try ReadAll(short + trailer + Self.second, library: library)
            #expect(cut.damage.map(\.kind) == [.crc] && (cut.damage.first?.lostText ?? 0) > missing)
        }
    }

    @Test("a damaged header costs its member", arguments: libraries, [0, 1, 2, 3])
    func header(library: DeflateLibrary, place: Int) throws {
        var input = Self.first + Self.second + Self.first
        input[Self.first.count + place] = 0xFE
        let read = try ReadAll(input, library: library)
        let middle = UInt64(Self.second.count)
        #expect(read.damage == [Damage(kind: .header, offset: UInt64(Self.first.count), member: 1, lostBytes: middle, lostText: 0)])
        #expect(read.texts == Array([Self.lines[..<400], Self.lines[..<400]].joined()))
    }

    @Test("a header with a wrong CRC is damage, but its member is read", arguments: libraries)
    func headerChecksum(library: DeflateLibrary) throws {
        var input = GzipSamples.member("a\nb\n", header: .init(name: "name", hasChecksum: true))
        #expect(try ReadAll(input, library: library).damage == [])
        input[11] ^= 1
        let read = try ReadAll(input, library: library)
        #expect(read.texts == ["a", "b"])
        #expect(read.damage == [Damage(kind: .header, offset: 0, member: 0, lostBytes: 0, lostText: 0)])
    }

    @Test("zeros after the last member are padding, other bytes are garbage", arguments: libraries)
    func trailing(library: DeflateLibrary) throws {
        let (member, end) = (GzipSamples.member("a\nb"), UInt64(GzipSamples.member("a\nb").count))
        let padding = [UInt8](repeating: 0, count: 300_000)
        for zeros in [1, 511, 300_000] { #expect(try ReadAll(member + padding[..<zeros], library: library).damage == []) }
        for garbage in [Array("garbage".utf8), [0, 0, 7], padding + [1], [0x1E, 0x8B, 8, 0]] as [[UInt8]] {
            let read = try ReadAll(member + garbage, library: library)
            let lost = UInt64(garbage.count)
            #expect(read.damage == [Damage(kind: .trailingGarbage, offset: end, member: 1, lostBytes: lost, lostText: 0)])
            #expect(read.texts == ["a", "b"])
        }
        let between = try ReadAll(member + [0, 0, 0] + GzipSamples.member("c\n"), library: library)
        #expect(between.damage == [])
        #expect(between.texts == ["a", "bc"])
        let many = try ReadAll(GzipSamples.member("one\ntw") + padding + GzipSamples.member("o\nthree\n"), library: library)
        #expect(many.damage == [])
        #expect(many.texts == ["one", "two", "three"])
    }

    @Test("empty and very short files with the name of a gzip file")
    func almostEmpty() throws {
        for name in ["empty.log", "empty.gz", "empty.zst", "empty.bz2", "empty.xz"] {
            let empty = try ReadAll([], name: name)
            #expect(empty.damage == [] && empty.records == [] && !empty.summary.isPlainDespiteName)
        }
        #expect(try ReadAll([0x1F], name: "one.log").kinds == [.truncated])
    }

    @Test("the name of a gzip file: text is read and reported, anything else is damage, and the next member is read", arguments: libraries)
    func names(library: DeflateLibrary) throws {
        let plain = try ReadAll(Array("plain\ntext é\n".utf8), library: library)
        #expect(plain.texts == ["plain", "text é"] && plain.damage == [] && plain.summary.isPlainDespiteName)
        #expect(try !ReadAll(Array("plain\n".utf8), library: library, name: "a.log").summary.isPlainDespiteName)
        for bits in 0..<16 {
            var input = Self.first + Self.second
            input[bits / 8] ^= 1 << UInt8(bits % 8)
            // Input that begins like another compression format is refused by name.
            guard let read = try? ReadAll(input, library: library) else { continue }
            #expect(read.kinds == [.header] || read.kinds == [.header, .crc], "bit \(bits)")
            #expect(read.texts.suffix(5) == (try ReadAll(Self.second, library: library).texts.suffix(5)), "bit \(bits)")
        }
        for prefix in ["\n", "\u{FEFF}", "\u{0}\u{0}\u{0}"] {
            let read = try ReadAll(Array(prefix.utf8) + Self.first, library: library)
            #expect(read.kinds == [.header])
            #expect(read.texts == (try ReadAll(Self.first, library: library).texts))
        }
    }

    @Test("plain text with the name of a gzip file is text in the encoding of the source")
    func encodings() throws {
        let line = "\u{E4}\u{F6}\u{FC} 1\n"
        let latin = Array(repeatElement(line.unicodeScalars.map { UInt8($0.value) }, count: 100).joined())
        let wide = { (isBig: Bool, text: String) -> [UInt8] in
            text.utf16.flatMap { unit -> [UInt8] in
                let (high, low) = (UInt8(unit >> 8), UInt8(unit & 0xFF))
                return isBig ? [high, low] : [low, high]
            }
        }
        let lines = String(repeating: line, count: 100)
        let samples: [([UInt8], TextEncoding)] = [
            (latin, .latin1), (wide(false, lines), .utf16), (wide(false, "\u{FEFF}" + lines), .utf16), (wide(true, "\u{FEFF}" + lines), .utf16),
            (wide(false, lines), .utf16LittleEndian), (wide(true, lines), .utf16BigEndian),
        ]
        for (bytes, encoding) in samples {
            let read = try ReadAll(bytes, encoding: encoding)
            #expect(read.texts == [String](repeating: "\u{E4}\u{F6}\u{FC} 1", count: 100), "\(encoding)")
            #expect(read.damage == [] && read.summary.isPlainDespiteName, "\(encoding)")
        }
        // A log in ASCII with one line that is not UTF-8.
        let mixed = Array(String(repeating: "GET /index.html\n", count: 20).utf8) + latin[..<6] + Array("GET /\n".utf8)
        let read = try ReadAll(mixed)
        #expect(read.records.count == 22 && read.damage == [] && read.summary.isPlainDespiteName)
        // Too much is not UTF-8; half a surrogate pair; a gzip file of which the magic number is
        // damaged.
        #expect(try ReadAll(latin).kinds == [.header])
        #expect(try ReadAll(wide(false, lines) + [0x00, 0xD8] + wide(false, lines), encoding: .utf16).kinds == [.header])
        for encoding in TextEncoding.allCases {
            var input = GzipSamples.member(GzipSamples.text(0..<50))
            input[0] ^= 1
            #expect(try ReadAll(input, encoding: encoding).kinds == [.header], "\(encoding)")
        }
    }

    @Test("a read error ends the input, and what is missing is known", arguments: libraries)
    func readError(library: DeflateLibrary) throws {
        let input = Self.first + Self.second
        let read = try ReadAll(input, library: library, failAt: 2000)
        let damage = try #require(read.damage.first)
        #expect(damage.kind == .readError)
        #expect(damage.offset + damage.lostBytes == UInt64(input.count))
        #expect(read.texts == Array(Self.lines.prefix(read.texts.count)))
        let plain = try ReadAll(Array("a\nb\nc".utf8), library: library, failAt: 3)
        #expect(plain.texts == ["a"])
        #expect(plain.damage == [Damage(kind: .readError, offset: 3, member: 0, lostBytes: 2, lostText: 1)])
    }

    @Test("under the policy to fail, the error names file and byte", arguments: libraries)
    func fail(library: DeflateLibrary) throws {
        var input = Self.first + Self.second
        input[Self.first.count - 8] ^= 1
        let error = #expect(throws: InputError.self) { try ReadAll(input, library: library, onDamage: .fail, name: "logs/a.gz") }
        let text = try #require(error).description
        #expect(text == "logs/a.gz@\(Self.first.count - 8): the text differs from what was compressed: wrong checksum (member 0)")
    }

    @Test("members with a size are found even if damage ran on into the next", arguments: libraries)
    func sized(library: DeflateLibrary) throws {
        let text = GzipSamples.text(0..<6000)
        let whole = GzipSamples.bgzf(Array(text.utf8), block: 20_000)
        #expect(try ReadAll(whole, library: library).texts == GzipSamples.lines(0..<6000))
        var random = SeededGenerator(seed: 7)
        for _ in 0..<12 {
            var input = whole
            let place = Int.random(in: 20_000..<whole.count - 20_000, using: &random)
            for index in place..<place + 20 { input[index] = UInt8.random(in: 0...255, using: &random) }
            let read = try ReadAll(input, library: library)
            #expect(!read.damage.isEmpty)
            let known = Set(GzipSamples.lines(0..<6000))
            let strangers = read.texts.filter { !known.contains($0) }
            #expect(read.texts.count > 6000 - 2 * 20_000 / 80 - 3)
            // Text that was inflated wrongly before the damage could be detected, but never the
            // tail of a record that a member started with.
            #expect(strangers.allSatisfy { !$0.hasSuffix("fox\"}") || $0.hasPrefix("{") || !read.kinds.contains(.corrupt) })
        }
    }
}
