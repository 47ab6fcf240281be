import Testing

@testable import SluiceRecords

/// Randomly damaged files. For each of them: reading ends, intact members around the damage are
/// delivered completely, and damage is reported unless every record is delivered as written.
@Suite("Fuzzed gzip")
struct GzipFuzzTests {
    private static let groups = [0..<5, 5..<9, 9..<14].map(GzipSamples.lines)
    private static let lines = groups.flatMap { $0 }
    private static let members = [
        GzipSamples.member(groups[0].joined(separator: "\n") + "\n", header: .init(extra: [1, 2, 1, 0, 9], name: "a", hasChecksum: true)),
        GzipSamples.member(groups[1].joined(separator: "\n") + "\n", level: 1),
        GzipSamples.member(groups[2].joined(separator: "\n") + "\n", level: 9, header: .init(comment: "c")),
    ]
    private static let whole = members.flatMap { $0 }
    private static let ends = [members[0].count, members[0].count + members[1].count, whole.count]

    @Test("truncated at every byte: records in order, never an extra one, never silent", arguments: libraries)
    func truncatedEverywhere(library: DeflateLibrary) throws {
        for count in 1..<Self.whole.count {
            let read = try ReadAll(Array(Self.whole[..<count]), library: library)
            let wholeMembers = Self.ends.filter { $0 <= count }.count
            #expect(read.texts == Array(Self.lines.prefix(read.texts.count)), "cut at \(count)")
            #expect(read.texts.count >= Self.groups.prefix(wholeMembers).joined().count, "cut at \(count)")
            #expect(read.kinds == (Self.ends.contains(count) ? [] : [.truncated]), "cut at \(count)")
        }
    }

    @Test("both libraries read a truncated file alike")
    func sameTruncated() throws {
        guard libraries.count > 1 else { return }
        for count in 1..<Self.whole.count {
            let input = Array(Self.whole[..<count])
            #expect(try ReadAll(input, library: .zlib) == ReadAll(input, library: .isal), "cut at \(count)")
        }
    }

    @Test("every bit flipped: the other members are complete, and changes are never silent", arguments: libraries)
    func flippedEverywhere(library: DeflateLibrary) throws {
        for place in 0..<Self.whole.count {
            let hit = Self.ends.firstIndex { place < $0 } ?? 0
            for bit in 0..<8 {
                // A plain text file, not a damaged gzip file.
                if place < 2 { continue }
                var input = Self.whole
                input[place] ^= 1 << bit
                let read = try ReadAll(input, library: library)
                if read.damage.isEmpty { #expect(read.texts == Self.lines, "bit \(bit) of byte \(place)") }
                let (before, after) = (Self.groups[..<hit].flatMap { $0 }, Self.groups[(hit + 1)...].flatMap { $0 })
                #expect(Array(read.texts.prefix(before.count)) == before, "bit \(bit) of byte \(place)")
                #expect(Array(read.texts.suffix(after.count)) == after, "bit \(bit) of byte \(place): \(read.damage)")
            }
        }
    }

    @Test("damage is the same however the bytes arrive", arguments: libraries)
    func sameInPieces(library: DeflateLibrary) throws {
        var random = SeededGenerator(seed: 11)
        for _ in 0..<40 {
            let input = Self.broken(with: &random)
            let expected = try ReadAll(input, library: library)
            #expect(try ReadAll(input, library: library, chunk: 1, most: 1000) == expected)
            #expect(try ReadAll(input, library: library, chunk: 37, most: 1) == expected)
        }
    }

    @Test("broken in many places: it ends, and failing is never softer than salvaging", arguments: libraries, [UInt64](1...4))
    func brokenAnyhow(library: DeflateLibrary, seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<60 {
            let input = Self.broken(with: &random)
            let read = try ReadAll(input, library: library)
            let lost = read.damage.reduce(0) { $0 + $1.lostBytes }
            #expect(lost <= UInt64(input.count))
            if read.damage.isEmpty {
                #expect(try ReadAll(input, library: library, onDamage: .fail).texts == read.texts)
            } else {
                #expect(throws: InputError.self) { try ReadAll(input, library: library, onDamage: .fail) }
            }
        }
    }

    @Test("random bytes are not taken for a member", arguments: libraries)
    func noise(library: DeflateLibrary) throws {
        var random = SeededGenerator(seed: 5)
        for _ in 0..<6 {
            var noise = (0..<100_000).map { _ in UInt8.random(in: 0...255, using: &random) }
            // Random headers, a hundred times as often as they would occur by chance.
            for _ in 0..<200 {
                let place = Int.random(in: 0..<noise.count - 10, using: &random)
                noise.replaceSubrange(place..<place + 4, with: [0x1F, 0x8B, 8, 0])
            }
            noise[0] = 0xFF
            let read = try ReadAll(GzipSamples.member("a\n") + noise + GzipSamples.member("b\n"), library: library)
            #expect(read.texts == ["a", "b"])
            #expect(read.damage.map(\.lostBytes) == [100_000])
        }
    }

    @Test("a file of member headers only takes linear time", .timeLimit(Patience.minutes(5)), arguments: libraries)
    func beginnings(library: DeflateLibrary) throws {
        let member = GzipSamples.member(GzipSamples.text(0..<2000), level: 1)
        for count in [4, 11, 100, 5000, member.count - 9] {
            let input = Array(repeatElement(member[..<count], count: 300_000 / count).joined())
            let read = try ReadAll(member + input, library: library)
            #expect(read.texts.count >= 2000)
            #expect(!read.damage.isEmpty)
        }
    }

    /// The sample with up to three random modifications.
    private static func broken(with random: inout SeededGenerator) -> [UInt8] {
        var bytes = whole + whole
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            guard bytes.count > 4 else { break }
            let place = Int.random(in: 2..<bytes.count - 1, using: &random)
            let end = min(bytes.count, place + Int.random(in: 1...60, using: &random))
            switch Int.random(in: 0..<6, using: &random) {
            case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 1: bytes.removeSubrange(place..<end)
            case 2: bytes.insert(contentsOf: bytes[place..<end], at: place)
            case 3: for index in place..<end { bytes[index] = UInt8.random(in: 0...255, using: &random) }
            case 4: for index in place..<end { bytes[index] = 0 }
            default: bytes.removeSubrange(max(3, place)...)
            }
        }
        return bytes
    }
}
