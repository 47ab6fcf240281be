import Foundation
import Testing

@testable import SluiceRecords

/// Records that damage has torn, or put in doubt.
@Suite("Torn and suspect records")
struct TornRecordTests {
    private static let gap = GzipSamples.member("x\n").map { $0 ^ 0xFF }

    @Test("what follows a gap is torn if the member before it ended inside a line", arguments: libraries)
    func afterGap(library: DeflateLibrary) throws {
        // Bytes between members, and a member of which only the header can be read.
        let ruined: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3] + [UInt8](repeating: 0xFF, count: 40)
        for gap in [Self.gap, ruined] {
            let read = try ReadAll(GzipSamples.member("one\ntw") + gap + GzipSamples.member("o\nthree\n"), library: library)
            #expect(read.texts == ["one", "three"])
            #expect(read.torn == ["o"])
            #expect(read.damage.map(\.lostText).reduce(0, +) == 2)
            #expect(read.spilled.map(\.position) == [Position(member: 2, offset: 6, line: 3)])
            #expect(read.records.last?.position == Position(member: 2, offset: 8, line: 4))
        }
    }

    @Test("what follows a gap is a record if members end at line ends", arguments: libraries)
    func betweenLines(library: DeflateLibrary) throws {
        let read = try ReadAll(GzipSamples.member("one\ntwo\n") + Self.gap + GzipSamples.member("three\nfour\n"), library: library)
        #expect(read.texts == ["one", "two", "three", "four"])
        #expect(read.torn == [] && read.damage.map(\.lostText) == [0])
    }

    @Test("members that ended inside lines long before a gap", arguments: libraries)
    func earlier(library: DeflateLibrary) throws {
        let input = GzipSamples.member("a\nb") + GzipSamples.member("c\nd\n") + Self.gap + GzipSamples.member("e\nf\n")
        let read = try ReadAll(input, library: library)
        #expect(read.texts == ["a", "bc", "d", "f"])
        #expect(read.torn == ["e"])
    }

    @Test("a torn record ends at the next gap, the end, or its line feed, in however many members", arguments: libraries)
    func ends(library: DeflateLibrary) throws {
        let first = GzipSamples.member("a\nb") + Self.gap
        let second = try ReadAll(first + GzipSamples.member("c") + Self.gap + GzipSamples.member("d\ne\n"), library: library)
        #expect(second.texts == ["a", "e"] && second.torn == ["c", "d"])
        let last = try ReadAll(first + GzipSamples.member("c"), library: library)
        #expect(last.texts == ["a"] && last.torn == ["c"])
        let many = try ReadAll(first + GzipSamples.member("c") + GzipSamples.member("d") + GzipSamples.member("e\nf"), library: library)
        #expect(many.texts == ["a", "f"] && many.torn == ["cde"])
        let none = try ReadAll(first + GzipSamples.member("\nf"), library: library)
        #expect(none.texts == ["a", "f"] && none.torn == [])
    }

    @Test("members that are seen to end inside lines only after a gap", arguments: libraries)
    func later(library: DeflateLibrary) throws {
        let input = GzipSamples.member("one\ntwo\n") + Self.gap + GzipSamples.member("o\nthr") + GzipSamples.member("ee\nfour\n")
        let read = try ReadAll(input, library: library)
        #expect(read.texts == ["one", "two", "three", "four"] && read.torn == ["o"])
        let before = GzipSamples.member("one\ntwo\n") + Self.gap + GzipSamples.member("o\nthr") + Self.gap + GzipSamples.member("ee\nfour\n")
        let twice = try ReadAll(before, library: library)
        #expect(twice.texts == ["one", "two", "four"] && twice.torn == ["o", "ee"])
        #expect(try ReadAll(input, library: library, chunk: 1, most: 3) == read)
    }

    @Test("a damaged first member: the members after it tell whether members end at line ends", arguments: libraries)
    func first(library: DeflateLibrary) throws {
        let lines = GzipSamples.lines(0..<3_000)
        let text = Array(GzipSamples.text(0..<3_000).utf8)
        for block in [4 << 10, 65_280] {
            let blocks = stride(from: 0, to: text.count, by: block).map { Array(text[$0..<min($0 + block, text.count)]) }
            for isSized in [true, false] {
                var members = isSized ? GzipSamples.bgzf(text, block: block) : blocks.flatMap { GzipSamples.member($0) }
                for index in 40..<60 { members[index] = 0xFF }
                let read = try ReadAll(members, library: library)
                #expect(read.texts.suffix(1_000) == lines[2_000...])
                let known = Swift.Set(lines)
                let strangers = read.texts.filter { !known.contains($0) }
                #expect(!read.damage.isEmpty && !strangers.contains { stranger in lines.contains { $0.hasSuffix(stranger) } })
                #expect(read.torn.count == 1 && read.torn.allSatisfy { !known.contains($0) })
            }
        }
        let ruined: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3] + [UInt8](repeating: 0xFF, count: 40)
        let whole = try ReadAll(ruined + GzipSamples.member("one\ntwo\n") + GzipSamples.member("three\n"), library: library)
        #expect(whole.texts == ["one", "two", "three"] && whole.torn == [])
    }

    @Test("what follows a gap is torn if no border of members was seen; the end of the text is none", arguments: libraries)
    func unknown(library: DeflateLibrary) throws {
        let ruined: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3] + [UInt8](repeating: 0xFF, count: 40)
        for gap in [Self.gap, ruined] {
            for end in [[], GzipSamples.member(""), GzipSamples.member("") + GzipSamples.member("")] as [[UInt8]] {
                let read = try ReadAll(gap + GzipSamples.member("o\nthree\n") + end, library: library)
                #expect(read.texts == ["three"] && read.torn == ["o"] && read.kinds.count == 1)
            }
        }
        // Too few bytes for a member with text.
        for gap in [[0x0A], [0xEF, 0xBB, 0xBF], [1, 2, 3, 4, 5, 6, 7, 8, 9]] as [[UInt8]] {
            let read = try ReadAll(gap + GzipSamples.member("one\ntwo\n"), library: library)
            #expect(read.texts == ["one", "two"] && read.torn == [] && read.kinds == [.header])
        }
    }

    @Test("a member that fails its check and ends inside a line tells nothing", arguments: libraries)
    func unsure(library: DeflateLibrary) throws {
        var bad = GzipSamples.member("one\ntw")
        bad[bad.count - 8] ^= 1
        let read = try ReadAll(bad + GzipSamples.member("o\nthree\n"), library: library)
        #expect(read.texts == ["one", "three"] && read.torn == ["o"] && read.kinds == [.crc])
        let known = try ReadAll(bad + GzipSamples.member("two\nthree\n") + GzipSamples.member("four\n"), library: library)
        #expect(known.texts == ["one", "two", "three", "four"] && known.torn == [])
    }

    @Test("a torn record is found in members of more than a MiB, too, if the borders before were seen", arguments: libraries)
    func large(library: DeflateLibrary) throws {
        let text = Array(GzipSamples.text(0..<40_000).utf8)
        let cut = text.count - 10
        let input = GzipSamples.member(Array(text[..<cut])) + GzipSamples.member(Array(text[cut...]) + text) + Self.gap + GzipSamples.member(text)
        let read = try ReadAll(input, library: library)
        #expect(read.torn == [GzipSamples.lines(0..<1)[0]] && read.records.count == 3 * 40_000 - 1)
    }

    @Test("frames of zstd alike")
    func zstd() throws {
        let input = FrameSample.zstd(Array("one\ntw".utf8)) + [1, 2, 3, 4, 5] + FrameSample.zstd(Array("o\nthree\n".utf8))
        let read = try ReadAll(input, name: "a.zst")
        #expect(read.texts == ["one", "three"] && read.torn == ["o"])
    }

    @Test("all records of a member with a wrong checksum are suspect, over many batches", arguments: libraries)
    func suspect(library: DeflateLibrary) throws {
        let (first, last) = (GzipSamples.member("a\nb\n"), GzipSamples.member("c\n"))
        var bad = GzipSamples.member(GzipSamples.text(0..<40_000))
        bad[bad.count - 8] ^= 1
        let read = try ReadAll(first + bad + last, library: library)
        #expect(read.cuts.count > 2)
        #expect(read.summary.suspect == 40_000 && read.records.count == 40_003)
        #expect(try ReadAll(first + last, library: library).summary.suspect == 0)
    }

    @Test("with invalid data, all records of a member are suspect, before it and after", arguments: libraries)
    func invalid(library: DeflateLibrary) throws {
        let texts = (0..<6).map { Array(GzipSamples.text($0 * 100..<($0 + 1) * 100).utf8) }
        var (input, places) = GzipSamples.blocks(texts, library: library)
        input[places[3].lowerBound] = 0xFF
        let read = try ReadAll(input + GzipSamples.member("next\n"), library: library)
        #expect(read.kinds == [.corrupt])
        #expect(read.summary.suspect == 500 && read.records.count == 501)
    }

    @Test("what the inflater makes of invalid data before it notices is suspect", arguments: libraries)
    func invented(library: DeflateLibrary) throws {
        let lines = (0..<2000).map { "\($0) user\($0 * 7919 % 50) \($0 * 104_729 % 1000)" }
        let known = Swift.Set(lines)
        let member = GzipSamples.member(lines.joined(separator: "\n") + "\n")
        let sound = GzipSamples.member("a\nb\n")
        var invented = 0
        for place in 2000..<2030 {
            var bad = member
            bad[place] ^= 8
            let read = try ReadAll(sound + bad, library: library)
            guard read.kinds.first == .corrupt else { continue }
            invented += read.texts.dropFirst(2).count { !known.contains($0) }
            #expect(read.summary.suspect == read.records.count - 2)
        }
        #expect(invented > 0)
    }

    @Test("members that are damaged are found before anything is delivered", arguments: libraries)
    func setAside(library: DeflateLibrary) throws {
        var bad = GzipSamples.member("c\nd\ne")
        bad[bad.count - 8] ^= 1
        let input = GzipSamples.member("a\nb") + bad + GzipSamples.member("f\ng\n")
        var rest = input[...]
        let window = InputWindow { memory in
            let piece = rest.prefix(memory.count)
            piece.withUnsafeBytes { memory.copyMemory(from: $0) }
            rest = rest.dropFirst(piece.count)
            return piece.count
        }
        let unsound = MemberCheck.unsound(in: GzipText(window: window, library: library, size: UInt64(input.count)))
        #expect(unsound == [1])
        // Records of which only a part is from that member are among them.
        let read = try ReadAll(input, library: library, unsound: unsound)
        #expect(read.texts == ["a", "bc", "d", "ef", "g"])
        #expect(read.setAside == ["bc", "d", "ef"])
        #expect(read.summary.suspect == 0)
    }

    /// Runs over an archive in a folder of its own, from lines to lines.
    private static func run(_ input: [UInt8], _ policy: DamagePolicy, check: (RunReport, String) throws -> Void) async throws {
        let folder = NSTemporaryDirectory() + "sluice-torn-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data(input).write(to: URL(filePath: folder + "/in.gz"))
        let source = SourceSettings(FileSource([InputFile(path: folder + "/in.gz", size: UInt64(input.count))]), format: Lines(), onDamage: policy)
        let sink = SinkSettings(FileSink(PathTemplate(pieces: [.text(folder + "/out.log")])), format: Lines())
        let pipeline = RecordPipeline(
            name: "torn", definition: "sha256:0", source: source, stages: [], sink: sink, deadLetters: folder + "/dead.jsonl")
        let report = try await RecordRun(pipeline, options: RunOptions(workers: 2, state: folder + "/state")).run()
        #expect(report.balanced && report.error == nil)
        #expect(try Audit(report).holds)
        #expect((try? FileManager.default.contentsOfDirectory(atPath: folder + "/state/spill")) ?? [] == [])
        try check(report, folder)
    }

    @Test("a run: the records of a damaged member are dead letters under set_aside, else written and counted")
    func runs() async throws {
        var bad = GzipSamples.member(GzipSamples.text(100..<400))
        bad[bad.count - 8] ^= 1
        let input = GzipSamples.member(GzipSamples.text(0..<100)) + bad + GzipSamples.member(GzipSamples.text(400..<500))
        let sound = GzipSamples.lines(0..<100) + GzipSamples.lines(400..<500)
        for (policy, lines, suspect) in [(DamagePolicy.setAside, sound, 0), (.salvage, GzipSamples.lines(0..<500), 300)] {
            try await Self.run(input, policy) { report, folder in
                #expect(report.records.written == lines.count && report.records.suspect == suspect && report.records.dead == 500 - lines.count)
                #expect(report.deadLetters.byCode == (lines.count == 500 ? [:] : ["record.suspect": 300]))
                let written = try String(contentsOfFile: folder + "/out.log", encoding: .utf8)
                #expect(written.split(separator: "\n").map(String.init) == lines)
            }
        }
    }

    @Test("a run: the dead letter of a torn record has its bytes and its place")
    func tornRun() async throws {
        try await Self.run(GzipSamples.member("one\ntw") + Self.gap + GzipSamples.member("o\nthree\n"), .salvage) { report, folder in
            #expect(report.records.dead == 1 && report.records.read == 3)
            #expect(report.deadLetters.byCode == ["record.torn": 1])
            let letter = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(filePath: folder + "/dead.jsonl"))) as? [String: Any]
            #expect(letter?["raw"] as? String == "o")
            #expect((letter?["source"] as? [String: Any])?["offset"] as? Int == 6)
        }
    }
}
