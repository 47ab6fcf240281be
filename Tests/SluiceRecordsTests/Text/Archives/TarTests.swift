import Foundation
import Testing

@testable import SluiceRecords

@Suite("Files in tar archives")
struct TarTests {
    private static let logs = TarSample.file("logs/a.log", "one\ntwo\n") + TarSample.file("logs/b.log", "three\nfour") + TarSample.file("c", "five\n")
    private static let texts = [
        "a.tar/logs/a.log: one", "a.tar/logs/a.log: two", "a.tar/logs/b.log: three", "a.tar/logs/b.log: four", "a.tar/c: five",
    ]

    @Test("each file is read from its own beginning, and no record goes on in the next", arguments: [1, 7, 511, 512, 513, 256 << 10])
    func files(chunk: Int) throws {
        let read = try ReadArchive(Self.logs + TarSample.end, chunk: chunk)
        #expect(read.texts == Self.texts)
        #expect(read.records.map(\.position.line) == [1, 2, 1, 2, 1])
        #expect(read.records.map(\.position.offset) == [0, 4, 0, 6, 0])
        #expect(read.damage == [])
        #expect(read.batches.map(\.number) == Array(read.batches.indices))
        #expect(read.batches.map(\.place) == [0, 8, 18])
        #expect(read.contents.files == 3 && read.summary.records == 5 && read.summary.textBytes == 23)
        #expect(read == (try ReadArchive(Self.logs + TarSample.end)))
    }

    @Test("V7, ustar and GNU headers", arguments: TarSample.Format.allCases)
    func formats(format: TarSample.Format) throws {
        let archive = TarSample.file("./a/b.log", "x\n", format: format) + TarSample.file("/c", "", format: format) + TarSample.end
        let read = try ReadArchive(archive)
        #expect(read.texts == ["a.tar/a/b.log: x"])
        #expect(read.contents.files == 2 && read.damage == [])
    }

    @Test("long names: the prefix of ustar, GNU's own header, and pax")
    func longNames() throws {
        let long = (0..<30).map { "folder-\($0)" }.joined(separator: "/") + "/x.log"
        let archive =
            TarSample.entry("b.log", Array("prefix\n".utf8), prefix: "a/deep")
            // GNU's header has times where ustar has the prefix.
            + TarSample.entry("g.log", Array("no prefix\n".utf8), format: .gnu, prefix: "14720000000")
            + TarSample.entry("././@LongLink", Array(long.utf8) + [0], type: "L", format: .gnu) + TarSample.file("cut", "gnu\n", format: .gnu)
            + TarSample.entry("././@LongLink", Array(long.utf8) + [0], type: "K", format: .gnu) + TarSample.entry("link", [], type: "2")
            + TarSample.pax([("mtime", "1.5"), ("path", long + "é")]) + TarSample.file("cut", "pax\n") + TarSample.file("after", "short\n")
        let read = try ReadArchive(archive + TarSample.end)
        #expect(read.texts == ["a.tar/a/deep/b.log: prefix", "a.tar/g.log: no prefix", "a.tar/\(long): gnu", "a.tar/\(long)é: pax", "a.tar/after: short"])
        #expect(read.contents.skipped == ["symbolic links": 1] && read.damage == [])
    }

    @Test("pax records for all files that follow, which one of the file's own overrides")
    func defaults() throws {
        let archive =
            TarSample.pax([("path", "all")], type: "g") + TarSample.file("1", "a\n") + TarSample.pax([("path", "own")]) + TarSample.file("2", "b\n")
            + TarSample.file("3", "c\n") + TarSample.pax([("path", "")], type: "g") + TarSample.file("4", "d\n")
        #expect(try ReadArchive(archive + TarSample.end).texts == ["a.tar/all: a", "a.tar/own: b", "a.tar/all#2: c", "a.tar/4: d"])
    }

    @Test("sizes in octal, in binary and in pax records")
    func sizes() throws {
        let text = Array("text\n".utf8)
        let binary = TarSample.header(Array("b".utf8), size: TarSample.binary(5), format: .gnu) + text + TarSample.filler(5)
        let pax = TarSample.pax([("size", "5")]) + TarSample.header(Array("p".utf8), size: TarSample.octal(0)) + text + TarSample.filler(5)
        let spaces = TarSample.header(Array("s".utf8), size: Array("          5 ".utf8)) + text + TarSample.filler(5)
        #expect(try ReadArchive(binary + pax + spaces + TarSample.end).texts == ["a.tar/b: text", "a.tar/p: text", "a.tar/s: text"])

        let large: UInt64 = 20 << 30
        for archive in [
            TarSample.header(Array("b".utf8), size: TarSample.binary(large)) + text,
            TarSample.pax([("size", "\(large)")]) + TarSample.header(Array("p".utf8), size: TarSample.octal(0)) + text,
        ] {
            let read = try ReadArchive(archive)
            #expect(read.kinds == [.tarTruncated] && read.damage.first?.lostBytes == large - 5)
            #expect(read.records.map(\.text) == ["text"] && read.damage.first?.lostText == 0)
        }
        // Negative, and far beyond what a file can have.
        for size in [[UInt8](repeating: 0xFF, count: 12), TarSample.binary(1 << 63)] {
            let read = try ReadArchive(TarSample.header(Array("b".utf8), size: size) + text + TarSample.filler(5) + Self.logs + TarSample.end)
            #expect(read.texts == Self.texts && read.kinds == [.tarHeader] && read.damage.first?.offset == 0)
        }
        for size in ["18446744073709551615", "4611686018427387904", "-1"] {
            for sparse in [[], [("GNU.sparse.major", "1")]] {
                let read = try ReadArchive(TarSample.pax([("size", size)] + sparse) + TarSample.file("b", "b\n") + Self.logs + TarSample.end)
                #expect(read.texts.suffix(Self.texts.count) == Self.texts[...] && read.kinds == [.tarHeader], "\(size)")
            }
        }
    }

    @Test("of metadata that is too long, and cut off, nothing is lost twice")
    func longMetadata() throws {
        let size: UInt64 = 2 << 30
        let there: UInt64 = 1000
        let archive = TarSample.header(Array("x".utf8), size: TarSample.binary(size), type: "x", format: .gnu) + [UInt8](repeating: 0x61, count: Int(there))
        let read = try ReadArchive(archive)
        #expect(
            read.damage.sorted { $0.offset < $1.offset } == [
                Damage(kind: .tarHeader, offset: 512, member: 0, lostBytes: there, lostText: 0),
                Damage(kind: .tarTruncated, offset: 512 + there, member: 0, lostBytes: size - there, lostText: 0),
            ])
    }

    @Test("what is no file is skipped and counted, with its data, if there is any")
    func skipped() throws {
        let sparse = TarSample.pax([("GNU.sparse.major", "1"), ("GNU.sparse.name", "holes"), ("path", "GNUSparseFile/holes")])
        var map = TarSample.header(Array("old".utf8), size: TarSample.octal(3), type: "S", format: .gnu)
        map[482] = 1
        map.replaceSubrange(148..<156, with: TarSample.checksum(of: map))
        let archive =
            TarSample.entry("d/", [], type: "5") + TarSample.file("v7/", "", format: .v7) + TarSample.entry("s", [], type: "2")
            + TarSample.entry("p", [], type: "6") + TarSample.entry("n", [], type: "3") + TarSample.file("a", "a\n")
            // A hard link whose header has the size of its file, with and without the data.
            + TarSample.header(Array("h".utf8), size: TarSample.octal(2), type: "1") + TarSample.file("b", "b\n")
            + TarSample.entry("i", Array("i\n".utf8), type: "1")
            + sparse + TarSample.entry("GNUSparseFile.0/holes", Array("map".utf8)) + map + [UInt8](repeating: 0, count: 512) + Array("xyz".utf8)
            + TarSample.filler(3) + TarSample.entry("label", [], type: "V") + TarSample.file("c", "c\n")
        let read = try ReadArchive(archive + TarSample.end)
        #expect(read.texts == ["a.tar/a: a", "a.tar/b: b", "a.tar/c: c"])
        #expect(
            read.contents.skipped == [
                "folders": 2, "symbolic links": 1, "named pipes": 1, "devices": 1, "hard links": 2, "sparse files": 2, "other entries": 1,
            ])
        #expect(read.damage == [])
    }

    @Test("archives may be joined, filled with zeros, or end after one block of zeros")
    func joined() throws {
        for end in [TarSample.end, Array(TarSample.end[..<512]), TarSample.end + [UInt8](repeating: 0, count: 9 * 1024 + 300)] {
            #expect(try ReadArchive(Self.logs + end).damage == [])
        }
        let read = try ReadArchive(TarSample.file("1", "a\n") + TarSample.end + TarSample.file("1", "b\n") + TarSample.end)
        #expect(read.texts == ["a.tar/1: a", "a.tar/1#2: b"] && read.damage == [])
        #expect(try ReadArchive(TarSample.end).batches == [] && ReadArchive([]).batches == [])
    }

    @Test("no two files get the same name, even if one has a number as its own")
    func namesWithNumbers() throws {
        let names = ["1", "1#2", "1", "1", "1#2", "1#2#2"]
        let read = try ReadArchive(names.flatMap { TarSample.file($0, "a\n") } + TarSample.end)
        #expect(read.records.map(\.file) == ["1", "1#2", "1#3", "1#4", "1#2#2", "1#2#2#2"].map { "a.tar/" + $0 })
    }

    @Test("a header that does not match its checksum loses its file, and no other")
    func badHeader() throws {
        var archive = Self.logs + TarSample.end
        archive[1024 + 10] ^= 1
        let read = try ReadArchive(archive)
        #expect(read.texts == [Self.texts[0], Self.texts[1], Self.texts[4]])
        #expect(read.damage == [Damage(kind: .tarHeader, offset: 1024, member: 0, lostBytes: 1024, lostText: 0)])
        #expect(throws: InputError.damaged(path: "a.tar", read.damage[0])) { try ReadArchive(archive, onDamage: .fail) }
        archive[10] ^= 1
        #expect(try ReadArchive(archive).damage.first?.lostBytes == 2048)
    }

    @Test("bytes after the end are damage, and an archive after them is read")
    func garbage() throws {
        let garbage = [UInt8](repeating: 0x21, count: 700)
        let last = try ReadArchive(Self.logs + TarSample.end + garbage)
        #expect(last.texts == Self.texts)
        #expect(last.damage == [Damage(kind: .tarGarbage, offset: 4096, member: 0, lostBytes: 700, lostText: 0)])
        let aligned = [UInt8](repeating: 0x21, count: 1024)
        let between = try ReadArchive(TarSample.file("0", "0\n") + TarSample.end + aligned + Self.logs + TarSample.end)
        #expect(between.texts == ["a.tar/0: 0"] + Self.texts && between.kinds == [.tarHeader] && between.damage.first?.lostBytes == 1024)
    }

    @Test("an archive that was cut anywhere delivers what is before the cut, and says so", arguments: [512, 100])
    func truncated(chunk: Int) throws {
        let archive = Self.logs + TarSample.end
        for count in 0..<archive.count {
            let read: ReadArchive
            do {
                read = try ReadArchive(Array(archive[..<count]), chunk: chunk)
            } catch InputError.notArchive {
                #expect(count < 512, "\(count)")
                continue
            }
            #expect(Self.texts.starts(with: read.texts), "\(count)")
            let isWhole = count == 0 || count >= Self.logs.count + 512
            #expect(read.damage.isEmpty == isWhole, "\(count) \(read.damage)")
            if !isWhole { #expect(read.kinds == [.tarTruncated], "\(count)") }
        }
    }

    @Test("a flipped bit in a header is damage, or changes nothing")
    func flipped() throws {
        let archive = Self.logs + TarSample.end
        for header in [0, 1024, 2048] {
            for place in header..<header + 512 {
                for bit in [0, 3, 7] {
                    var flipped = archive
                    flipped[place] ^= 1 << UInt8(bit)
                    do {
                        let read = try ReadArchive(flipped)
                        #expect(read.texts == Self.texts || read.kinds.contains(.tarHeader), "\(place) \(bit)")
                    } catch InputError.notArchive {
                        // Without its mark, the first header is none.
                        #expect(header == 0)
                    } catch InputError.unsupported {
                        #expect(place < 2)
                    }
                }
            }
        }
    }

    @Test("what is no archive is refused")
    func noArchive() {
        #expect(throws: InputError.notArchive(path: "a.log")) { try ReadArchive(Array("one\ntwo\n".utf8), name: "a.log") }
        let long = Array(String(repeating: "a line of text\n", count: 100).utf8)
        #expect(throws: InputError.notArchive(path: "a.log")) { try ReadArchive(long, name: "a.log") }
        #expect(throws: InputError.notArchive(path: "a.log.gz")) { try ReadArchive(GzipSamples.member(long), name: "a.log.gz") }
        #expect(throws: InputError.unsupported(path: "a.zip", compression: "zip")) { try ReadArchive([0x50, 0x4B, 3, 4] + long, name: "a.zip") }
    }

    @Test("each file has a header of its own")
    func heads() throws {
        let archive = TarSample.file("1.csv", "a,b\n1,2\n") + TarSample.file("2.csv", "c\n3\n") + TarSample.file("3.csv", "d\n") + TarSample.end
        let read = try ReadArchive(archive, framing: .quoted(Quoting(separator: UInt8(ascii: ","), hasHead: true)))
        #expect(read.texts == ["a.tar/1.csv: 1,2", "a.tar/2.csv: 3"])
        #expect(read.heads == ["a,b", "c", "d"].map { FileHead(Array($0.utf8)) })
    }

    @Test("a record over the limit is refused with the name of its file, and spilled under a name of its own")
    func tooLong() throws {
        let long = String(repeating: "x", count: 100)
        let read = try ReadArchive(TarSample.file("1", "\(long)\na\n") + TarSample.file("2", "\(long)y\nb\n") + TarSample.end, maxRecord: 50)
        #expect(read.texts == ["a.tar/1: a", "a.tar/2: b"] && read.torn == [long, long + "y"])
    }

    @Test("batches can be skipped, as a resumed run does", arguments: [false, true])
    func skipping(isCompressed: Bool) throws {
        let line = String(repeating: "a line of some length ", count: 50)
        let large = (0..<3000).map { "\($0) \(line)\n" }.joined()
        let files = TarSample.file("1", "one\n") + TarSample.file("2", large) + TarSample.entry("3.gz", GzipSamples.member(Array(large.utf8)))
        var archive = files + TarSample.file("4", "last") + TarSample.end
        if isCompressed { archive = GzipSamples.member(archive) }
        let whole = try ReadArchive(archive)
        #expect(whole.batches.count > 8 && whole.damage == [] && whole.records.count == 6002)
        for skipped in 0...whole.batches.count {
            let rest = try ReadArchive(archive, skipping: skipped)
            #expect(rest.batches == Array(whole.batches[skipped...]) && rest.summary == whole.summary)
            #expect(rest.records == whole.records.suffix(rest.records.count))
        }
    }

    @Test(
        "files to leave out are given by patterns of their names",
        arguments: [
            ("a.tar/logs/b.log", [0, 1, 4]), ("**/*.log", [4]), ("a.tar/**", []), ("*/c", [0, 1, 2, 3]), ("a.tar/{c,logs/[a]*}", [2, 3]),
            ("logs/*", [0, 1, 2, 3, 4]),
            ("./a.tar/?", [0, 1, 2, 3]),
        ] as [(String, [Int])])
    func excluded(pattern: String, kept: [Int]) throws {
        let read = try ReadArchive(Self.logs + TarSample.end, excluding: [pattern])
        #expect(read.texts == kept.map { Self.texts[$0] })
        #expect(read.contents.files + read.contents.excluded == 3)
    }

    @Test("names that are not UTF-8 are shown with escapes")
    func names() throws {
        let read = try ReadArchive(TarSample.header([0x63, 0xE9], size: TarSample.octal(2)) + Array("x\n".utf8) + TarSample.filler(2) + TarSample.end)
        #expect(read.texts == ["a.tar/c\\xE9: x"])
    }
}

@Suite("Compression in and around tar archives")
struct CompressedTarTests {
    private static let files = [("a.log", "one\ntwo\n"), ("b.log", "three\nfour\n"), ("c.log", "five\nsix\n")]
    private static let archive = files.flatMap { TarSample.file($0.0, $0.1) } + TarSample.end
    private static let texts = ["a.log: one", "a.log: two", "b.log: three", "b.log: four", "c.log: five", "c.log: six"].map { "a.tar/" + $0 }

    @Test("every compression around the archive", arguments: FrameSample.allCases)
    func around(sample: FrameSample) throws {
        let read = try ReadArchive(sample.frame(Self.archive))
        #expect(read.texts == Self.texts && read.damage == [] && read.summary.members == 1)
    }

    @Test("gzip members that begin anywhere in the archive", arguments: [1, 100, 256 << 10])
    func members(chunk: Int) throws {
        for cut in [1, 511, 512, 515, 516, 1030, 2049] {
            let read = try ReadArchive(GzipSamples.member(Array(Self.archive[..<cut])) + GzipSamples.member(Array(Self.archive[cut...])), chunk: chunk)
            #expect(read.texts == Self.texts && read.damage == [] && read.summary.members == 2)
            let members = read.records.enumerated().map { index, _ in [512, 516, 1536, 1542, 2560, 2565][index] < cut ? 0 : 1 }
            #expect(read.records.map(\.position.member) == members, "\(cut)")
        }
    }

    @Test("files that are compressed themselves", arguments: FrameSample.allCases)
    func inside(sample: FrameSample) throws {
        let inner = sample.frame(Array("one\ntwo\n".utf8)) + sample.frame(Array("three\n".utf8))
        let archive = TarSample.entry("x.log.1", inner) + TarSample.file("y", "four\n") + TarSample.end
        for bytes in [archive, GzipSamples.member(archive)] {
            let read = try ReadArchive(bytes)
            #expect(read.texts == ["x.log.1: one", "x.log.1: two", "x.log.1: three", "y: four"].map { "a.tar/" + $0 })
            #expect(read.records.map(\.position.member) == [0, 0, 1, 0] && read.damage == [])
            #expect(read.records.map(\.position.offset) == [0, 4, 8, 0])
        }
    }

    @Test("archives in archives, and what cannot be decompressed, are refused by name")
    func refused() {
        let tar = Self.archive
        for (bytes, what) in [(tar, "tar"), (GzipSamples.member(tar), "tar"), ([0x50, 0x4B, 3, 4] + tar, "zip")] {
            let archive = TarSample.entry("inner", bytes) + TarSample.end
            #expect(throws: InputError.unsupportedInside(path: "a.tar/inner", compression: what)) { try ReadArchive(archive) }
            #expect((try? ReadArchive(archive, excluding: ["**/inner"]).contents.excluded) == 1)
        }
    }

    @Test("damage of a file's own compression has a place in that file")
    func damagedInside() throws {
        var inner = GzipSamples.member(Array("one\ntwo\n".utf8))
        inner[inner.count - 8] ^= 1
        let archive = TarSample.entry("x.gz", inner) + TarSample.file("y", "three\n") + TarSample.end
        let read = try ReadArchive(archive)
        #expect(read.texts == ["a.tar/x.gz: one", "a.tar/x.gz: two", "a.tar/y: three"] && read.suspect == 2)
        #expect(read.kinds == [.crc] && read.damage[0].file == "a.tar/x.gz" && read.damage[0].offset == UInt64(inner.count - 8))
        #expect(throws: InputError.damaged(path: "a.tar/x.gz", read.damage[0])) { try ReadArchive(archive, onDamage: .fail) }
        let checked = try ReadArchive(archive, onDamage: .setAside)
        #expect(checked.setAside == ["a.tar/x.gz: one", "a.tar/x.gz: two"])

        let cut = try ReadArchive(TarSample.entry("x.gz", Array(inner[..<(inner.count - 9)])) + TarSample.file("y", "three\n") + TarSample.end)
        #expect(cut.kinds == [.truncated] && cut.damage[0].file == "a.tar/x.gz" && cut.texts.last == "a.tar/y: three")
    }

    @Test("where the archive ends inside a compressed file, the damage is the archive's")
    func cutInside() throws {
        let inner = GzipSamples.member(Array((0..<2000).map { "line \($0)\n" }.joined().utf8))
        let archive = TarSample.file("w", "zero\n") + TarSample.entry("x.gz", inner)
        let cut = 1024 + 512 + inner.count / 2
        let read = try ReadArchive(Array(archive[..<cut]))
        #expect(read.damage.count == 1 && read.kinds == [.tarTruncated] && read.damage[0].file == nil && read.damage[0].offset == UInt64(cut))
        #expect(read.texts.first == "a.tar/w: zero" && read.texts.count < 2001)
        #expect(
            throws: InputError.damaged(
                path: "a.tar", Damage(kind: .tarTruncated, offset: UInt64(cut), member: 0, lostBytes: UInt64(inner.count - inner.count / 2), lostText: 0))
        ) {
            try ReadArchive(Array(archive[..<cut]), onDamage: .fail)
        }
    }

    @Test("a failed check of the archive's compression makes the records of all its files suspect")
    func checksum() throws {
        var archive = GzipSamples.member(Self.archive)
        archive[archive.count - 8] ^= 1
        let read = try ReadArchive(archive)
        #expect(read.texts == Self.texts && read.kinds == [.crc] && read.suspect == 6 && read.summary.suspect == 6)
        #expect(try ReadArchive(archive, onDamage: .setAside).setAside == Self.texts)

        // Only the first of two members, which ends in the second file.
        var first = GzipSamples.member(Array(Self.archive[..<1542]))
        first[first.count - 8] ^= 1
        let partly = try ReadArchive(first + GzipSamples.member(Array(Self.archive[1542...])))
        #expect(partly.texts == Self.texts && partly.kinds == [.crc] && partly.suspect == 3)
    }

    @Test("after a gap in the compression, reading goes on at the next header, wherever it is", arguments: [1, 100, 256 << 10])
    func gap(chunk: Int) throws {
        let cuts = [0, 1538, 1700, Self.archive.count]
        var members = zip(cuts, cuts.dropFirst()).map { GzipSamples.member(Array(Self.archive[$0..<$1])) }
        members[1][3] = 0xFF
        let read = try ReadArchive(Array(members.joined()), chunk: chunk)
        // Only the first two letters of `three` are there.
        #expect(read.texts == [Self.texts[0], Self.texts[1], Self.texts[4], Self.texts[5]])
        #expect(read.kinds == [.header, .tarHeader] && read.damage[0].lostText == 2)
        #expect(read.damage[1].lostBytes == 2048 - 1700)
        #expect(throws: InputError.self) { try ReadArchive(Array(members.joined()), onDamage: .fail) }
    }

    @Test("a compressed archive that was cut anywhere is damaged once, and delivers whole records")
    func truncated() throws {
        let archive = GzipSamples.member(Self.archive)
        for count in 1..<archive.count {
            let read = try? ReadArchive(Array(archive[..<count]))
            guard let read else { continue }
            #expect(Self.texts.starts(with: read.texts), "\(count)")
            #expect(read.kinds.contains(.truncated), "\(count) \(read.kinds)")
        }
    }

    @Test("whatever is flipped, the reader ends, and what it delivers is counted")
    func flipped() throws {
        let inner = GzipSamples.member(Array("seven\neight\n".utf8))
        let archive = GzipSamples.member(Array(Self.archive.dropLast(1024)) + TarSample.entry("x.gz", inner) + TarSample.end)
        var random = SeededGenerator(seed: 11)
        for _ in 0..<300 {
            var flipped = archive
            flipped[Int.random(in: 0..<flipped.count, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            guard let read = try? ReadArchive(flipped) else { continue }
            #expect(read.summary.records == UInt64(read.records.count) && read.summary.damage == read.damage)
            #expect(read.texts == Self.texts + ["a.tar/x.gz: seven", "a.tar/x.gz: eight"] || !read.damage.isEmpty)
        }
    }
}
