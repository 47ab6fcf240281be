import Testing

@testable import SluiceRecords

@Suite("zstd, bzip2 and xz")
struct FramedTextTests {
    static let first = FrameSample.lines(0..<40)
    static let second = FrameSample.lines(40..<90)
    static let third = FrameSample.lines(90..<100)

    private static func texts(_ bytes: [UInt8]) -> [String] { String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init) }

    @Test("are read completely, frame by frame, however their bytes arrive", arguments: FrameSample.allCases)
    func whole(sample: FrameSample) throws {
        let frames = [Self.first, [], Self.second, Self.third].map { sample.frame($0) }
        for (chunk, most) in [(1, 256 << 10), (7, 3), (256 << 10, 256 << 10)] {
            for name in [nil, "-", "a.gz"] as [String?] {
                let all = try sample.read(frames.flatMap { $0 }, chunk: chunk, most: most, name: name)
                #expect(all.texts == Self.texts(Self.first + Self.second + Self.third))
                #expect(all.damage == [])
                #expect(all.summary.members == 4)
                #expect(all.records.last?.position.member == 3)
            }
        }
    }

    @Test("records may span frames, and zeros are padding", arguments: FrameSample.allCases)
    func borders(sample: FrameSample) throws {
        let cut = 500
        let padding = [UInt8](repeating: 0, count: 512)
        let bytes = sample.frame(Array(Self.first[..<cut])) + padding + sample.frame(Array(Self.first[cut...])) + padding
        let all = try sample.read(bytes)
        #expect(all.texts == Self.texts(Self.first))
        #expect(all.damage == [])
    }

    @Test("zero bytes are an empty input; an empty frame has no records", arguments: FrameSample.allCases)
    func empty(sample: FrameSample) throws {
        #expect(try sample.read([]) == sample.read([]))
        #expect(try sample.read([]).damage == [])
        #expect(try sample.read(sample.frame([])).records == [])
        #expect(try sample.read(sample.frame([])).damage == [])
    }

    @Test("a text of more than one batch", arguments: FrameSample.allCases)
    func large(sample: FrameSample) throws {
        let text = FrameSample.lines(0..<60_000)
        let all = try sample.read(sample.frame(text))
        #expect(all.records.count == 60_000)
        #expect(all.records.flatMap { $0.bytes + [0x0A] } == text)
        #expect(all.damage == [])
    }

    @Test("truncated anywhere: complete records up to there, and damage", arguments: FrameSample.allCases)
    func truncated(sample: FrameSample) throws {
        let one = sample.frame(Self.first)
        let bytes = one + sample.frame(Self.second)
        let texts = Self.texts(Self.first + Self.second)
        for count in 1..<bytes.count where count != one.count {
            let all = try sample.read(Array(bytes[..<count]))
            #expect(all.texts == Array(texts.prefix(all.texts.count)), "\(count)")
            #expect(all.kinds == [.truncated], "\(count)")
            #expect(all.damage.first?.offset == UInt64(count), "\(count)")
            if count > one.count { #expect(all.texts.count >= 40, "\(count)") }
            #expect(throws: InputError.self) { try sample.read(Array(bytes[..<count]), onDamage: .fail) }
        }
        #expect(try sample.read(one).damage == [])
    }

    @Test("any flipped bit is reported or changes nothing; the rest is read", arguments: FrameSample.allCases)
    func flipped(sample: FrameSample) throws {
        let (one, two) = (sample.frame(FrameSample.lines(0..<12)), sample.frame(Self.second))
        let whole = Self.texts(FrameSample.lines(0..<12) + Self.second)
        for place in one.indices {
            for bit in 0..<8 {
                var bytes = one + two
                bytes[place] ^= 1 << UInt8(bit)
                do throws(InputError) {
                    let all: ReadAll
                    do { all = try sample.read(bytes) } catch { throw error as? InputError ?? .missing(path: "\(error)") }
                    if all.damage.isEmpty { #expect(all.texts == whole, "byte \(place), bit \(bit)") }
                    #expect(all.texts.suffix(49) == whole.suffix(49), "byte \(place), bit \(bit): \(all.kinds)")
                    #expect(all.summary.suspect >= Self.wrong(all.texts, among: whole), "byte \(place), bit \(bit): \(all.kinds)")
                } catch {
                    // A first header that requires a dictionary or more memory; the magic number of
                    // another program.
                    guard case .unsupported = error else {
                        Issue.record("byte \(place), bit \(bit): \(error)")
                        continue
                    }
                    #expect(place < 6, "byte \(place), bit \(bit): \(error)")
                }
            }
        }
    }

    /// The number of records that are not among those that were compressed.
    private static func wrong(_ texts: [String], among whole: [String]) -> UInt64 {
        let sound = Set(whole)
        return UInt64(texts.filter { !sound.contains($0) }.count)
    }

    @Test("bits flipped in the middle: every record that they change is counted as suspect", arguments: FrameSample.allCases)
    func suspect(sample: FrameSample) throws {
        let text = FrameSample.lines(0..<8_000)
        let (one, two) = (sample.frame(text), sample.frame(Self.third))
        #expect(try sample.read(one + two).summary.suspect == 0)
        var changed: UInt64 = 0
        for place in stride(from: one.count / 4, to: one.count * 3 / 4, by: one.count / 32) {
            var bytes = one
            bytes[place] ^= 0x55
            for input in [bytes, bytes + two] {
                let all = try sample.read(input)
                let wrong = Self.wrong(all.texts, among: Self.texts(text + Self.third))
                #expect(!all.damage.isEmpty && all.summary.suspect >= wrong, "byte \(place): \(wrong) wrong, \(all.summary.suspect) suspect, \(all.kinds)")
                changed += wrong
            }
        }
        #expect(changed > 0)
    }

    @Test("without its second half, nothing proves a frame; a bzip2 stream is proved block by block", arguments: FrameSample.allCases)
    func unproved(sample: FrameSample) throws {
        let one = sample.frame(FrameSample.lines(0..<12_000))
        let all = try sample.read(Array(one[..<(one.count / 2)]) + sample.frame(Self.third))
        #expect(all.kinds == [.corrupt] && all.texts.suffix(9) == Self.texts(Self.third)[1...] && all.texts.count > 1_000)
        #expect(all.summary.suspect == (sample == .bzip2 ? 0 : UInt64(all.texts.count - 9)))
    }

    @Test("a record that begins before a frame with a wrong checksum and ends in it is suspect")
    func shared() throws {
        var bad = FrameSample.zstd(Array("gun\nc\nd\n".utf8))
        bad[bad.count - 1] ^= 1
        let (first, last) = (FrameSample.zstd(Array("a\nbe".utf8)), FrameSample.zstd(Array("e\n".utf8)))
        let all = try FrameSample.zstd.read(first + bad + last)
        #expect(all.texts == ["a", "begun", "c", "d", "e"] && all.kinds == [.crc] && all.summary.suspect == 3)
    }

    @Test("zstd cut inside a raw block: the whole records before the cut are delivered")
    func rawBlock() throws {
        let block = Self.third.count << 3 | 1
        let head = [0, 0x58] + (0..<3).map { UInt8(truncatingIfNeeded: block >> ($0 * 8)) }
        let bytes = ZstdHeader.magic + head + Self.third
        let start = bytes.count - Self.third.count
        #expect(try FrameSample.zstd.read(bytes).texts == Self.texts(Self.third))
        for count in start..<bytes.count {
            let end = bytes[start..<count].lastIndex(of: 0x0A).map { $0 + 1 } ?? start
            let whole = Self.texts(Array(bytes[start..<end]))
            let all = try FrameSample.zstd.read(Array(bytes[..<count]))
            #expect(all.texts == whole, "\(count)")
            #expect(all.damage == [Damage(kind: .truncated, offset: UInt64(count), member: 0, lostBytes: 0, lostText: UInt64(count - end))])
            #expect(try FrameSample.zstd.read(Array(bytes[..<count]), chunk: 7, most: 5) == all, "\(count)")
        }
        let next = FrameSample.zstd(Array("torn\nnext\n".utf8))
        let all = try FrameSample.zstd.read(Array(bytes[..<150]) + next)
        #expect(all.kinds == [.corrupt] && all.texts.last == "next" && Self.wrong(all.texts, among: Self.texts(Self.third)) == 1)
    }

    @Test("garbage before, between and after frames is damage, and all frames are read", arguments: FrameSample.allCases)
    func garbage(sample: FrameSample) throws {
        let junk = Array("\u{1}junk that is no frame".utf8)
        let (one, two) = (sample.frame(Self.first), sample.frame(Self.second))
        let before = try sample.read(junk + one)
        #expect(before.kinds == [.header] && before.texts == Array(Self.texts(Self.first).dropFirst()) && before.torn.count == 1)
        #expect(before.damage.first?.lostBytes == UInt64(junk.count))
        // Too short for a frame.
        let short = try sample.read(Array(junk[..<9]) + one)
        #expect(short.kinds == [.header] && short.texts == Self.texts(Self.first))
        let between = try sample.read(one + junk + two)
        #expect(between.kinds == [.header] && between.texts == Self.texts(Self.first + Self.second))
        let after = try sample.read(one + junk)
        #expect(after.kinds == [.trailingGarbage] && after.texts == Self.texts(Self.first))
        #expect(after.damage == [Damage(kind: .trailingGarbage, offset: UInt64(one.count), member: 1, lostBytes: UInt64(junk.count), lostText: 0)])
    }

    @Test("a frame without its end does not affect the next one", arguments: FrameSample.allCases)
    func missingEnd(sample: FrameSample) throws {
        let (one, two) = (sample.frame(Self.first), sample.frame(Self.second))
        for lost in [1, 4, 9, 30] {
            let all = try sample.read(Array(one.dropLast(lost)) + two)
            #expect(all.texts.suffix(49) == Self.texts(Self.second)[1...], "\(lost)")
            #expect(!all.damage.isEmpty, "\(lost)")
        }
    }

    @Test("noise of frames, cuts and flips never crashes, hangs or is silent", arguments: FrameSample.allCases, 1...6)
    func fuzz(sample: FrameSample, seed: Int) throws {
        var random = Seeded(UInt64(seed))
        let pieces = [sample.frame(Self.first), sample.frame([]), sample.frame(Self.third), sample.magicBytes, [0, 0, 0, 0], Array("text\n".utf8)]
        for _ in 0..<60 {
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 1...5, using: &random) {
                var piece = pieces.randomElement(using: &random) ?? []
                for _ in 0..<Int.random(in: 0...2, using: &random) where !piece.isEmpty {
                    let place = Int.random(in: 0..<piece.count, using: &random)
                    switch Int.random(in: 0..<3, using: &random) {
                    case 0: piece[place] = UInt8.random(in: 0...255, using: &random)
                    case 1: piece.removeSubrange(place...)
                    default: piece.insert(UInt8.random(in: 0...255, using: &random), at: place)
                    }
                }
                bytes += piece
            }
            do {
                let all = try sample.read(bytes)
                #expect(try sample.read(bytes, chunk: 13, most: 5) == all, "\(bytes)")
            } catch InputError.unsupported {
            }
        }
    }

    @Test("a wrong zstd checksum is reported after the text; skippable frames are skipped")
    func zstdDetails() throws {
        var bytes = FrameSample.zstd(Self.first)
        bytes[bytes.count - 1] ^= 1
        let all = try FrameSample.zstd.read(bytes + FrameSample.zstd(Self.second))
        #expect(all.kinds == [.crc] && all.texts == Self.texts(Self.first + Self.second))
        #expect(all.damage.first?.lostBytes == 0)
        let skippable: [UInt8] = [0x53, 0x2A, 0x4D, 0x18, 3, 0, 0, 0, 1, 2, 3]
        let skipped = try FrameSample.zstd.read(skippable + FrameSample.zstd(Self.first) + skippable + FrameSample.zstd(Self.second) + skippable)
        #expect(skipped.damage == [] && skipped.texts == Self.texts(Self.first + Self.second) && skipped.summary.members == 2)
        #expect(try FrameSample.zstd.read(Array(skippable.dropLast())).kinds.count == 1)
        #expect(try FrameSample.zstd.read(FrameSample.zstd(Self.first, checksum: false)).texts == Self.texts(Self.first))
    }

    @Test("a zstd frame without a checksum may end exactly where the room for its text does", arguments: [1, 2, 4, 8])
    func zstdEndsWithRoom(most: Int) throws {
        let frame = FrameSample.zstd(Array("one\ntwo\n".utf8), checksum: false)
        let all = try FrameSample.zstd.read(frame + frame, most: most)
        #expect(all.texts == ["one", "two", "one", "two"])
        #expect(all.damage == [])
    }

    @Test("a zstd dictionary and a window beyond 128 MiB are refused by name")
    func zstdRefused() {
        #expect(throws: InputError.unsupported(path: "test.zst", compression: "zstd with a dictionary")) {
            try FrameSample.zstd.read(ZstdHeader.magic + [0x01, 0x58, 7, 1, 0, 0])
        }
        #expect(throws: InputError.unsupported(path: "test.zst", compression: "zstd with a window of more than 128 MiB (--long, --ultra)")) {
            try FrameSample.zstd.read(ZstdHeader.magic + [0x00, 0x90, 1, 0, 0])
        }
    }

    @Test("text in a file with the name of a compressed one is read and reported; anything else is damage", arguments: FrameSample.allCases)
    func names(sample: FrameSample) throws {
        let plain = try sample.read(Array("plain\ntext é\n".utf8))
        #expect(plain.texts == ["plain", "text é"] && plain.damage == [] && plain.summary.isPlainDespiteName)
        #expect(try !sample.read(Array("plain\n".utf8), name: "a.log").summary.isPlainDespiteName)
        for bad in [[0x00, 0x01, 0x02], [0x78, 0x00, 0xFF, 0xFE, 0x03]] as [[UInt8]] {
            let all = try sample.read(bad)
            #expect(all.kinds == [.header] && all.records == [] && !all.summary.isPlainDespiteName)
        }
    }

    @Test("a compressed tar archive is refused", arguments: FrameSample.allCases)
    func archive(sample: FrameSample) {
        let archive = OtherCompressionTests.tar(magic: "ustar\u{0}00", size: 1_000) + [UInt8](repeating: 0x0A, count: 1_024)
        #expect(throws: InputError.unsupported(path: sample.name, compression: "tar")) { try sample.read(sample.frame(archive)) }
    }
}

extension FrameSample {
    var magicBytes: [UInt8] {
        switch self {
        case .zstd: ZstdCodec().magic
        case .bzip2: Bzip2Codec().magic
        case .xz: XZCodec().magic
        }
    }
}
