import Testing

@testable import SluiceRecords

/// Damage inside a member that is divided by full flushes.
@Suite("Salvage at flushes")
struct FlushSalvageTests {
    private static let count = 300
    private static let lines = GzipSamples.lines(0..<12 * count)
    /// 12 blocks of 300 complete lines, about 7 KiB each.
    private static let texts = (0..<12).map { Array(GzipSamples.text($0 * count..<($0 + 1) * count).utf8) }
    /// The same text in blocks of 24,000 bytes, split without regard to lines as `pigz -i` does.
    private static let cutTexts: [[UInt8]] = {
        let text = Array(texts.joined())
        return stride(from: 0, to: text.count, by: 24_000).map { Array(text[$0..<min($0 + 24_000, text.count)]) }
    }()
    private static let known = Set(lines)

    /// Overwrites the start of a block with the reserved block type, which no inflater accepts.
    /// Noise inside a block is not reliably detected: Huffman codes resynchronize, and only the
    /// checksum of the member reveals it.
    private static func ruin(_ block: Range<Int>, of input: inout [UInt8]) {
        input[block.lowerBound] = 0xFF
    }

    /// Whether a text is a line that lost its beginning.
    private static func isFragment(_ text: String) -> Bool {
        !known.contains(text) && lines.contains { $0.hasSuffix(text) }
    }

    /// Checks that no batch starts with a fragment.
    private static func checkBeginnings(_ read: ReadAll, _ context: String) {
        var at = 0
        for cut in read.cuts {
            if cut.records > 0 { #expect(!isFragment(read.texts[at]), "\(context)") }
            at += cut.records
        }
    }

    /// Checks that all lines are original lines, in order.
    private static func checkLines(_ read: ReadAll, _ context: String) {
        checkBeginnings(read, context)
        #expect(read.texts.allSatisfy(known.contains), "\(context)")
        let ids = read.texts.compactMap { Int($0.dropFirst(7).prefix { $0.isNumber }) }
        #expect(zip(ids, ids.dropFirst()).allSatisfy(<), "\(context)")
    }

    /// Intact files with flushes, or bytes that look like flushes, in various places.
    private static let sound: [[UInt8]] = {
        let blocks = GzipSamples.blocks(Array(texts[..<3])).bytes
        let small = GzipSamples.blocks((0..<60).map { Array(GzipSamples.text($0..<$0 + 1).utf8) }).bytes
        let marked = Array(repeatElement([0, 0, 0, 0xFF, 0xFF, 0x0A] as [UInt8], count: 400).joined())
        let synced = GzipSamples.syncFlushed(Array(texts[..<3]))
        return [
            blocks, small, blocks + blocks, GzipSamples.blocks(Array(cutTexts[..<3]), level: .fast).bytes,
            GzipSamples.bytes(of: .init()) + synced.data + GzipSamples.trailer(Array(texts[..<3].joined())),
            // Gzip inside gzip: the text contains flushes.
            GzipSamples.member(blocks, level: 0), GzipSamples.member(blocks), GzipSamples.member(marked, level: 0), GzipSamples.member(marked),
        ]
    }()

    @Test("an intact file never has damage, however its bytes arrive and leave", arguments: libraries, Array(sound.indices))
    func neverDamage(library: DeflateLibrary, index: Int) throws {
        let input = Self.sound[index]
        let expected = try ReadAll(input, library: .zlib)
        #expect(expected.damage == [])
        var random = SeededGenerator(seed: UInt64(index))
        let sizes = (0..<12).map { _ in (1 << Int.random(in: 0...12, using: &random), Int.random(in: 1...2000, using: &random)) }
        for (chunk, most) in sizes + [(256 << 10, 256 << 10), (1, 256 << 10), (256 << 10, 7)] {
            #expect(try ReadAll(input, library: library, chunk: chunk, most: most) == expected, "\(chunk) in, \(most) out")
        }
    }

    @Test("reading resumes at the next flush: one block is lost, the others are complete", arguments: libraries, libraries)
    func nextFlush(writer: DeflateLibrary, reader: DeflateLibrary) throws {
        let (whole, places) = GzipSamples.blocks(Self.texts, library: writer)
        for (index, place) in places.enumerated().dropFirst(3) {
            var input = whole
            Self.ruin(place, of: &input)
            let read = try ReadAll(input, library: reader)
            Self.checkLines(read, "block \(index)")
            #expect(read.texts == Array(Self.lines[..<(index * Self.count)] + Self.lines[((index + 1) * Self.count)...]))
            let damage = try #require(read.damage.first)
            #expect(read.kinds == [.corrupt])
            #expect(place.contains(Int(damage.offset)) && damage.member == 0 && damage.lostText == 0)
            #expect(Int(damage.offset + damage.lostBytes) == place.upperBound)
            #expect(read.summary.members == 1)
        }
    }

    @Test("a line is refused as torn unless flushes are known to be between lines", arguments: libraries)
    func fragments(library: DeflateLibrary) throws {
        let (whole, places) = GzipSamples.blocks(Self.texts, library: library)
        for index in 0..<3 {
            var input = whole
            Self.ruin(places[index], of: &input)
            let read = try ReadAll(input, library: library)
            #expect(read.texts == Array(Self.lines[..<(index * Self.count)] + Self.lines[((index + 1) * Self.count + 1)...]))
            #expect(read.damage.map(\.lostText) == [0])
            #expect(read.torn == [Self.lines[(index + 1) * Self.count]])
        }
    }

    @Test("flushes inside lines: the beginning of a block is never taken for a record", arguments: libraries)
    func cutLines(library: DeflateLibrary) throws {
        let (whole, places) = GzipSamples.blocks(Self.cutTexts, library: library)
        for (index, place) in places.enumerated() {
            var input = whole
            Self.ruin(place, of: &input)
            let read = try ReadAll(input, library: library)
            Self.checkLines(read, "block \(index)")
            #expect(read.kinds == [.corrupt])
            #expect(read.texts.count > Self.lines.count - 24_000 / 65)
            #expect(read.torn.count <= 1 && read.torn.allSatisfy(Self.isFragment))
        }
    }

    @Test("one member gives no fewer lines than many members with the same damage, except for fragments", arguments: libraries, [UInt64](1...3))
    func oneAgainstMany(library: DeflateLibrary, seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let one = GzipSamples.blocks(Self.texts, members: .one, library: library)
        let many = GzipSamples.blocks(Self.texts, members: .many, library: library)
        for _ in 0..<12 {
            let (block, count) = (Int.random(in: 0..<12, using: &random), Int.random(in: 1...3000, using: &random))
            let offset = Int.random(in: 20..<one.places[block].count - 10, using: &random)
            let noise = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            let genuine = try [(one, 0), (many, 20)].map { file, header -> Int in
                var input = file.bytes
                let start = file.places[block].lowerBound + header + offset
                let end = min(start + count, input.count)
                input.replaceSubrange(start..<end, with: noise[..<(end - start)])
                let read = try ReadAll(input, library: library)
                Self.checkBeginnings(read, "\(count) bytes at \(offset) of block \(block)")
                #expect(!read.damage.isEmpty)
                return read.texts.filter(Self.known.contains).count
            }
            // One fragment for each place where reading resumes.
            #expect(genuine[0] >= genuine[1] - 2, "\(count) bytes at \(offset) of block \(block)")
        }
    }

    @Test("a member whose header is lost is read from its first flush on", arguments: libraries, [2, 3])
    func header(library: DeflateLibrary, place: Int) throws {
        let (whole, places) = GzipSamples.blocks(Self.texts, library: library)
        let before = GzipSamples.member(GzipSamples.text(0..<10))
        for input in [whole, before + whole] {
            let start = input.count - whole.count
            var input = input
            input[start + (start > 0 ? place - 2 : place)] = 0xFE
            let read = try ReadAll(input, library: library)
            let member = start > 0 ? 1 : 0
            #expect(read.kinds == [.header])
            let damage = try #require(read.damage.first)
            #expect(damage.offset == UInt64(start) && damage.lostBytes == UInt64(places[0].upperBound) && damage.member == member)
            #expect(read.texts.suffix(11 * Self.count - 1) == Self.lines[(Self.count + 1)...])
            #expect(try #require(read.records.last).position.member == member)
        }
    }

    @Test("data that ends before its member is corrupt, and its checksum is not taken for one", arguments: libraries)
    func falseEnd(library: DeflateLibrary) throws {
        let (whole, places) = GzipSamples.blocks(Self.texts, library: library)
        var input = whole
        // An empty last block, and an invalid trailer.
        input.replaceSubrange(places[6].lowerBound..<places[6].lowerBound + 10, with: [3, 0, 9, 9, 9, 9, 9, 9, 9, 9])
        let read = try ReadAll(input, library: library)
        let lost = UInt64(places[6].count - 2)
        #expect(read.damage == [Damage(kind: .corrupt, offset: UInt64(places[6].lowerBound + 2), member: 0, lostBytes: lost, lostText: 0)])
        #expect(read.texts == Array(Self.lines[..<(6 * Self.count)] + Self.lines[(7 * Self.count)...]))
    }

    @Test("after damage in the last block the next member is read, and nothing else is damage", arguments: libraries)
    func lastBlock(library: DeflateLibrary) throws {
        let (whole, places) = GzipSamples.blocks(Self.texts, library: library)
        for next in [[], GzipSamples.member(GzipSamples.text(0..<10)), [0, 0, 0]] {
            var input = whole + next
            Self.ruin(places[11], of: &input)
            let read = try ReadAll(input, library: library)
            #expect(read.kinds == [.corrupt])
            let damage = try #require(read.damage.first)
            #expect(Int(damage.offset + damage.lostBytes) == places[11].upperBound)
            if next.count > 3 { #expect(read.texts.suffix(9) == Self.lines[1..<10] && read.torn == [Self.lines[0]]) }
        }
    }

    @Test("a wrong checksum is still reported for a member that lost nothing", arguments: libraries)
    func wrongTrailer(library: DeflateLibrary) throws {
        var input = GzipSamples.blocks(Self.texts, library: library).bytes
        let end = input.count
        input[end - 8] ^= 1
        for rest in [[], [0, 0], Array("garbage".utf8), GzipSamples.member("x\n")] {
            let read = try ReadAll(input + rest, library: library)
            #expect(read.texts.prefix(Self.lines.count) == Self.lines[...])
            #expect(read.kinds.first == .crc && read.damage.first?.offset == UInt64(end - 8))
            #expect(read.kinds.dropFirst() == (rest.first == UInt8(ascii: "g") ? [.trailingGarbage] : []))
        }
    }

    @Test("reading does not resume at a flush that keeps the dictionary", arguments: libraries)
    func syncFlush(library: DeflateLibrary) throws {
        // Lines far enough apart for references to text before every flush.
        let line = Self.lines[7] + "\n"
        let (deflated, places) = GzipSamples.syncFlushed(Array(repeating: Array(Self.texts[3] + line.utf8), count: 8))
        var input = GzipSamples.bytes(of: .init()) + deflated + GzipSamples.trailer([]) + GzipSamples.member("torn\nnext\n")
        input[10 + places[1].lowerBound] = 0xFF
        let read = try ReadAll(input, library: library)
        #expect(read.kinds == [.corrupt])
        #expect(read.texts.last == "next")
        #expect(read.texts.dropLast() == Array(Self.lines[3 * Self.count..<4 * Self.count] + [Self.lines[7]])[...])
    }

    @Test("truncated at every byte: records in order, never an extra one, never silent", arguments: libraries)
    func truncatedEverywhere(library: DeflateLibrary) throws {
        let texts = [0..<5, 5..<9, 9..<14].map { Array(GzipSamples.text($0).utf8) }
        let whole = GzipSamples.blocks(texts, library: library).bytes
        for count in 2..<whole.count {
            let read = try ReadAll(Array(whole[..<count]), library: library)
            #expect(read.texts == Array(GzipSamples.lines(0..<14).prefix(read.texts.count)), "cut at \(count)")
            #expect(read.kinds == [.truncated], "cut at \(count)")
        }
    }

    @Test("every bit flipped: other blocks are complete except for a fragment, and changes are never silent", arguments: libraries)
    func flippedEverywhere(library: DeflateLibrary) throws {
        let groups = [0..<5, 5..<9, 9..<14].map(GzipSamples.lines)
        let (whole, places) = GzipSamples.blocks(groups.map { Array(($0.joined(separator: "\n") + "\n").utf8) }, library: library)
        for place in 2..<whole.count {
            for bit in 0..<8 {
                var input = whole
                input[place] ^= 1 << bit
                let read = try ReadAll(input, library: library)
                let context = "bit \(bit) of byte \(place): \(read.damage)"
                if read.damage.isEmpty { #expect(read.texts == groups.flatMap { $0 }, "\(context)") }
                #expect(read.damage.count <= 2, "\(context)")
                let hit = places.firstIndex { place < $0.upperBound } ?? groups.count
                if place >= 10, hit < groups.count {
                    let before = groups[..<hit].flatMap { $0 }
                    #expect(Array(read.texts.prefix(before.count)) == before, "\(context)")
                    // The next block may start with a dropped fragment, and be all that was joined
                    // by a damaged flush.
                    let after = groups[(hit + 1)...].flatMap { $0 }.dropFirst()
                    if place < places[hit].upperBound - 5 { #expect(read.texts.suffix(after.count) == after[...], "\(context)") }
                }
            }
        }
    }

    @Test("broken in many places: it ends, and is the same however the bytes arrive", arguments: libraries, [UInt64](1...4))
    func brokenAnyhow(library: DeflateLibrary, seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for round in 0..<12 {
            let texts = round % 2 == 0 ? Self.texts : Self.cutTexts
            var input = GzipSamples.blocks(Array(texts[..<6]), library: library).bytes
            for _ in 0..<Int.random(in: 1...4, using: &random) { Self.damage(&input, &random) }
            let read = try ReadAll(input, library: library)
            Self.checkBeginnings(read, "round \(round)")
            #expect(read.damage.reduce(0) { $0 + $1.lostBytes } <= UInt64(input.count))
            #expect(try ReadAll(input, library: library, chunk: 37, most: 5000) == read, "round \(round)")
            if round < 2 { #expect(try ReadAll(input, library: library, chunk: 1, most: 40_000) == read, "round \(round)") }
            if !read.damage.isEmpty {
                #expect(throws: InputError.self) { try ReadAll(input, library: library, onDamage: .fail) }
            }
        }
    }

    private static func damage(_ bytes: inout [UInt8], _ random: inout SeededGenerator) {
        let place = Int.random(in: 10..<bytes.count - 1, using: &random)
        let end = min(bytes.count, place + Int.random(in: 1...3000, using: &random))
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes.removeSubrange(place..<end)
        case 1: for index in place..<end { bytes[index] = UInt8.random(in: 0...255, using: &random) }
        case 2: for index in place..<end { bytes[index] = 0 }
        default: bytes.replaceSubrange(place..<end, with: repeatElement(FlushMarks.marker, count: (end - place) / 4).joined())
        }
    }

    @Test("a run of bytes that look like flushes is one damage, not one for each", arguments: libraries)
    func markers(library: DeflateLibrary) throws {
        let (whole, places) = GzipSamples.blocks(Self.texts, library: library)
        for offset in 0..<4 {
            var input = whole
            let start = places[5].lowerBound + 1000 + offset
            input.replaceSubrange(start..<start + 800, with: repeatElement(FlushMarks.marker, count: 200).joined())
            let read = try ReadAll(input, library: library)
            #expect((1...3).contains(read.damage.count))
            #expect(read.texts.prefix(5 * Self.count) == Self.lines[..<(5 * Self.count)])
        }
    }

    @Test("a member of flushes only takes linear time", .timeLimit(Patience.minutes(5)), arguments: libraries)
    func flushesOnly(library: DeflateLibrary) throws {
        let empty = Array(repeatElement([0] as [UInt8] + FlushMarks.marker, count: 200_000).joined())
        let flood = Array(repeatElement(FlushMarks.marker, count: 200_000).joined())
        let header = GzipSamples.bytes(of: .init())
        let block = GzipSamples.blocks([Self.texts[0]]).bytes[10...]
        #expect(try ReadAll(header + empty + block, library: library).texts == Array(Self.lines[..<Self.count]))
        for junk in [[0xFF] + empty, [0xFF] + flood] as [[UInt8]] {
            let read = try ReadAll(header + block.dropLast(10) + junk + block, library: library)
            #expect(!read.damage.isEmpty)
            #expect(read.texts.prefix(Self.count) == Self.lines[..<Self.count])
        }
    }
}
