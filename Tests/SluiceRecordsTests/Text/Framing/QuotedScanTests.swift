import SluiceCEL
import Testing

@testable import SluiceRecords

/// A byte-by-byte reference for ``QuotedScan``.
struct PlainFraming {
    var frames: [Frame] = []
    private let bytes: [UInt8]
    private let quoting: Quoting
    private let maxRecord: Int
    private var line: UInt32 = 0

    init(_ bytes: [UInt8], _ quoting: Quoting, maxRecord: Int) {
        (self.bytes, self.quoting, self.maxRecord) = (bytes, quoting, maxRecord)
        var start = 0
        while start < bytes.count { start = record(from: start) }
    }

    private mutating func record(from start: Int) -> Int {
        var place = start
        var open: Int?
        while place < bytes.count {
            if let from = open {
                guard place - start < maxRecord else {
                    if let feed = bytes[from..<place].firstIndex(of: 0x0A) { return end(start, feed) }
                    open = nil
                    continue
                }
                let next = place + 1 < bytes.count ? bytes[place + 1] : nil
                if bytes[place] == quoting.quote {
                    if next == quoting.quote { place += 1 } else { open = nil }
                } else if bytes[place] == quoting.escape, next != 0x0A {
                    place += 1
                }
            } else if bytes[place] == 0x0A {
                return end(start, place)
            } else if bytes[place] == quoting.quote, place - start < maxRecord, opens(place, start) {
                open = place
            }
            place += 1
        }
        if let open, bytes.count - start > maxRecord, let feed = bytes[open...].firstIndex(of: 0x0A) { return end(start, feed) }
        return end(start, bytes.count)
    }

    private mutating func end(_ start: Int, _ end: Int) -> Int {
        frames.append(Frame(start: UInt32(start), count: UInt32(end - start), lineDelta: line))
        line += UInt32(bytes[start..<min(end + 1, bytes.count)].count { $0 == 0x0A })
        return end + 1
    }

    private func opens(_ place: Int, _ start: Int) -> Bool {
        if bytes[start] == quoting.comment { return false }
        let before = quoting.trimsBlanks ? bytes[start..<place].lastIndex { !quoting.isBlank($0) } : place == start ? nil : place - 1
        return before.map { bytes[$0] == quoting.separator } ?? true
    }
}

@Suite("Quoted framing")
struct QuotedScanTests {
    private static func scanned(_ bytes: [UInt8], _ quoting: Quoting, maxRecord: Int, sizes: () -> Int) -> [Frame] {
        let scan = Framing.quoted(quoting).makeScan(maxRecord: maxRecord)
        let buffer = ByteBuffer(capacity: 16)
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = rest.prefix(sizes())
            Array(piece).withUnsafeBufferPointer { buffer.append($0) }
            scan.advance(over: buffer)
            rest = rest.dropFirst(piece.count)
        }
        scan.endRecord(of: buffer)
        return scan.frames
    }

    private static func texts(_ text: String, _ quoting: Quoting = Quoting(), maxRecord: Int = 1000) -> [String] {
        let bytes = Array(text.utf8)
        return scanned(bytes, quoting, maxRecord: maxRecord) { 3 }.map { frame in
            String(decoding: bytes[Int(frame.start)..<Int(frame.start + frame.count)], as: UTF8.self)
        }
    }

    @Test(
        "a text that was cut between quotes is taken up to the record before",
        arguments: [
            ("a\n1,\"x\n", "a\n"), ("a\n1,\"x\ny\n", "a\n"), ("a\n1,\"x\"\n", "a\n1,\"x\"\n"), ("a\n\"x\ny\"\nb\n", "a\n\"x\ny\"\nb\n"),
            ("\"x\ny\n", "\"x\ny\n"),
            ("a\nb", "a\nb"), ("", ""),
        ])
    func cut(text: String, taken: String) {
        #expect(String(decoding: Framing.quoted(Quoting()).uncut(Array(text.utf8)), as: UTF8.self) == taken)
        #expect(Framing.lines.uncut(Array(text.utf8)) == Array(text.utf8))
    }

    @Test("a line feed between quotes ends no record")
    func feeds() {
        #expect(Self.texts("a,\"b\nc\"\nd\n") == ["a,\"b\nc\"", "d"])
        #expect(Self.texts("\"\n\"\n\"\"\n\"\"\"\n\"\n") == ["\"\n\"", "\"\"", "\"\"\"\n\""])
        #expect(Self.texts("\"a\r\nb\"\r\nc\r\n") == ["\"a\r\nb\"\r", "c\r"])
        #expect(Self.texts("a\rb\n") == ["a\rb"])
    }

    @Test("a quote only opens at the beginning of a field")
    func opening() {
        #expect(Self.texts("5\" disk,x\n3\" disk,y\n") == ["5\" disk,x", "3\" disk,y"])
        #expect(Self.texts("a, \"b\nc\"\n") == ["a, \"b", "c\""])
        #expect(Self.texts("a, \"b\nc\"\n", Quoting(trimsBlanks: true)) == ["a, \"b\nc\""])
        #expect(Self.texts("# it's,\"so\nx\n", Quoting(comment: UInt8(ascii: "#"))) == ["# it's,\"so", "x"])
        #expect(Self.texts("'a\nb';\"\n", Quoting(separator: UInt8(ascii: ";"), quote: UInt8(ascii: "'"))) == ["'a\nb';\""])
    }

    @Test("an escaped quote is text")
    func escapes() {
        let quoting = Quoting(escape: UInt8(ascii: "\\"))
        #expect(Self.texts("\"a\\\"\nb\"\nc\n", quoting) == ["\"a\\\"\nb\"", "c"])
        #expect(Self.texts("\"a\\\\\"\nb\n", quoting) == ["\"a\\\\\"", "b"])
        #expect(Self.texts("\"a\\\n\"\nb\n", quoting) == ["\"a\\\n\"", "b"])
        #expect(Self.texts("a\\\nb\n", quoting) == ["a\\", "b"])
    }

    @Test("a quote that is not closed within the limit ends with its line")
    func givenUp() {
        let good = (1...9).map { "good,\($0)" }
        let text = "a,b\nx,\"y\n" + good.joined(separator: "\n") + "\n"
        #expect(Self.texts(text, maxRecord: 20) == ["a,b", "x,\"y"] + good)
        #expect(Self.texts(text, maxRecord: 1000) == ["a,b", "x,\"y\n" + good.joined(separator: "\n") + "\n"])
        // The first quoted field is closed, the second is not.
        #expect(Self.texts("\"1\n2\",\"3\n4\n5,6,7,8\n", maxRecord: 10) == ["\"1\n2\",\"3", "4", "5,6,7,8"])
        #expect(Self.texts("\"12345678901234567890\"\nb\n", maxRecord: 10) == ["\"12345678901234567890\"", "b"])
    }

    @Test("a quote that is not closed before the end holds all text up to there")
    func openAtEnd() {
        #expect(Self.texts("a,\"b\nc\n\nd") == ["a,\"b\nc\n\nd"])
        #expect(Self.texts("a,\"b") == ["a,\"b"])
        #expect(Self.texts("a,\"b\n") == ["a,\"b\n"])
        #expect(Self.texts("a,\"b\nc\"") == ["a,\"b\nc\""])
        // Doubled quotes do not close one.
        #expect(Self.texts("a,\"b\nc,\"\"\n") == ["a,\"b\nc,\"\"\n"])
        #expect(Self.texts("x\n\"1\n2\",\"3\n4\n") == ["x", "\"1\n2\",\"3\n4\n"])
    }

    @Test("follows the rules for any text in pieces of any size", arguments: 1...20 as ClosedRange<UInt64>)
    func fuzz(seed: UInt64) {
        var random = Seeded(seed)
        let alphabet = Array("ab,,\"\"\"\n\n\r# \\'".utf8)
        for round in 0..<200 {
            let quoting = Quoting(
                quote: Bool.random(using: &random) ? UInt8(ascii: "\"") : UInt8(ascii: "'"),
                escape: Bool.random(using: &random) ? UInt8(ascii: "\\") : nil, comment: Bool.random(using: &random) ? UInt8(ascii: "#") : nil,
                trimsBlanks: Bool.random(using: &random))
            let count = Int.random(in: 0...(round % 10 == 0 ? 2000 : 80), using: &random)
            let plain = round % 3 == 0 ? 20 : 0
            let bytes = (0..<count).map { _ in
                Int.random(in: 0..<24, using: &random) < plain ? UInt8(ascii: "x") : alphabet[Int.random(in: 0..<alphabet.count, using: &random)]
            }
            let maxRecord = [3, 10, 50, 10_000][Int.random(in: 0..<4, using: &random)]
            let expected = PlainFraming(bytes, quoting, maxRecord: maxRecord).frames.map { [$0.start, $0.count, $0.lineDelta] }
            let size = Int.random(in: 1...100, using: &random)
            let found = Self.scanned(bytes, quoting, maxRecord: maxRecord) { size }.map { [$0.start, $0.count, $0.lineDelta] }
            #expect(found == expected, "\(String(decoding: bytes, as: UTF8.self).debugDescription) \(quoting) \(maxRecord)")
        }
    }
}

@Suite("Batches of quoted records")
struct QuotedBatchTests {
    private static let headed = Framing.quoted(Quoting(hasHead: true))

    @Test("the same batches however the bytes are split")
    func everySplit() throws {
        let text = "\u{FEFF}\n\"id\",\"na\nme\"\r\n1,\"a\nb\"\n2,\"c\"\"\n\n\"\"d\"\r\n\n3,x\"y\n"
        let bytes = Array(text.utf8)
        let expected = try ReadAll(bytes, framing: Self.headed)
        #expect(expected.texts == ["1,\"a\nb\"", "2,\"c\"\"\n\n\"\"d\"\r", "", "3,x\"y"])
        #expect(expected.records.map(\.position.line) == [4, 6, 9, 10])
        #expect(expected.records.map(\.position.offset) == [18, 26, 40, 41])
        #expect(expected.head == FileHead(Array("\"id\",\"na\nme\"\r".utf8)))
        #expect(expected.summary.textBytes == UInt64(bytes.count))
        for chunk in 1...bytes.count {
            #expect(try ReadAll(bytes, chunk: chunk, framing: Self.headed) == expected)
            let packed = GzipSamples.member(Array(bytes.prefix(chunk))) + GzipSamples.member(Array(bytes.dropFirst(chunk)))
            let read = try ReadAll(packed, chunk: 7, most: chunk, framing: Self.headed)
            #expect(read.texts == expected.texts)
            #expect(read.records.map(\.position.line) == expected.records.map(\.position.line))
        }
    }

    @Test("a batch holds the complete records that fit in the target", arguments: [1 << 20, 70_000, 4096])
    func batches(chunk: Int) throws {
        let record = "\"" + String(repeating: "line\n", count: 2000) + "\",x\n"
        let text = "a,b\n" + String(repeating: record, count: 500)
        let read = try ReadAll(Array(text.utf8), chunk: chunk, framing: Self.headed)
        #expect(read.records.count == 500)
        let fitting = 52
        #expect((fitting * record.utf8.count..<(fitting + 1) * record.utf8.count).contains(Batch.targetBytes))
        #expect(read.cuts.map(\.records).dropLast() == Array(repeating: fitting, count: 9)[...])
        #expect(read.records[499].position == Position(member: 0, offset: 4 + 499 * 10_005, line: 2 + 499 * 2001))
        #expect(read.cuts.last?.line == UInt64(2 + 9 * fitting * 2001))
    }

    @Test("a header alone is reported, and so is the header of a file that begins with comments")
    func heads() throws {
        #expect(try ReadAll(Array("a,b".utf8), framing: Self.headed).head == FileHead(Array("a,b".utf8)))
        #expect(try ReadAll(Array("a,b\n".utf8), framing: Self.headed).cuts.map(\.records) == [0])
        #expect(try ReadAll([], framing: Self.headed, name: "empty.csv").cuts.isEmpty)
        #expect(try ReadAll(Array("\n\n".utf8), framing: Self.headed).cuts.isEmpty)
        let remarks = Framing.quoted(Quoting(comment: UInt8(ascii: "#"), hasHead: true))
        let read = try ReadAll(Array("# one,\"two\n \n#three\nid\n7\n#x\n8".utf8), framing: remarks)
        #expect(read.head == FileHead(Array("id".utf8)))
        #expect(read.texts == ["7", "#x", "8"])
        #expect(read.records.map(\.position.line) == [5, 6, 7])
    }

    @Test("blank lines before a header are no records, whether it can be read or not, however the bytes arrive", arguments: [1, 2, 3, 100])
    func blankLinesBefore(most: Int) throws {
        let many = String(repeating: "\n", count: 100_000)
        #expect(try ReadAll(Array((many + "a,b\n1,2\n").utf8), chunk: most * 1000, most: most * 1000, framing: Self.headed).texts == ["1,2"])
        for (text, records) in [("\n\na,b\n1,2\n", ["1,2"]), ("\n\na,bcdefghijk\n1,2\n", ["1,2"]), ("\n\n\"a\"b,c\n1,2\n", ["\"a\"b,c", "1,2"])] {
            let read = try ReadAll(Array(text.utf8), maxRecord: 10, chunk: most, most: most, framing: Self.headed)
            #expect(read.texts == records, "\(text)")
        }
    }

    @Test("an unreadable header becomes a record, and the file has a problem")
    func badHeads() throws {
        let garbled = try ReadAll(Array("\"a\"b,c\n1,2\n".utf8), framing: Self.headed)
        #expect(garbled.texts == ["\"a\"b,c", "1,2"])
        #expect(garbled.head?.problem == "the file's header cannot be read: expected ',' after the closing quote at byte 3, found 'b'")
        let open = try ReadAll(Array("a,\"b\n1,2\n".utf8), framing: Self.headed)
        #expect(open.texts == ["a,\"b\n1,2\n"])
        #expect(open.head?.problem == "the file's header cannot be read: the quote at byte 2 is not closed")
        let long = try ReadAll(Array("a,bcdefghijk\n1,2\n".utf8), maxRecord: 5, framing: Self.headed)
        #expect(long.texts == ["1,2"])
        #expect(long.spilled.map(\.byteCount) == [12])
        #expect(long.head?.problem == "the file's header is longer than source.max_record allows")
        let wide = try ReadAll(Array((String(repeating: ",", count: 1 << 15) + "\n1\n").utf8), framing: Self.headed)
        #expect(wide.head?.problem == "the file's header has 32769 fields, more than 32768")
    }

    @Test("damage before the header leaves the file without one", arguments: libraries)
    func lostHead(library: DeflateLibrary) throws {
        let first = GzipSamples.member("id,name\n1,a\n2,b\n")
        let second = GzipSamples.member("3,c\n4,d\n")
        let read = try ReadAll(Array(first.prefix(13)) + second, library: library, framing: Self.headed)
        #expect(read.head?.problem == "the file's header was lost to damage")
        #expect(read.texts == ["4,d"] && read.torn == ["3,c"])
        #expect(!read.damage.isEmpty)
    }

    @Test("damage inside a record over several lines counts its lines", arguments: libraries)
    func torn(library: DeflateLibrary) throws {
        let lines = (0..<20_000).map { "\($0),\"x\n\($0 &* 2_654_435_761)\"\n" }.joined()
        let first = GzipSamples.member(Array(("a,b\n" + lines).utf8))
        let read = try ReadAll(Array(first.prefix(first.count / 2)) + GzipSamples.member("5,6\n7,8\n"), library: library, framing: Self.headed)
        #expect(read.records.last?.bytes == Array("7,8".utf8))
        let kept = read.records.count - 1
        #expect(kept > 1000)
        #expect(read.records[kept - 1].position.line == UInt64(2 * kept))
        let last = try #require(read.records.last?.position)
        #expect((UInt64(2 * kept + 3)...UInt64(2 * kept + 5)).contains(last.line))
        #expect(read.damage.first?.lostText == last.offset - 4 - read.records[kept - 1].position.offset - UInt64(read.records[kept - 1].bytes.count + 1))
    }

    @Test("a quote that is not closed before the end holds all text up to there, however the bytes are split")
    func openAtEnd() throws {
        let bytes = Array("a,b\n1,x\n2,\"open\n3,y\n\n4,\"\"\n5,z".utf8)
        let expected = try ReadAll(bytes, framing: Self.headed)
        #expect(expected.texts == ["1,x", "2,\"open\n3,y\n\n4,\"\"\n5,z"])
        #expect(expected.records.map(\.position.line) == [2, 3])
        #expect(expected.records.map(\.position.offset) == [4, 8])
        for chunk in 1...bytes.count {
            #expect(try ReadAll(bytes, chunk: chunk, framing: Self.headed) == expected)
            let packed = GzipSamples.member(Array(bytes.prefix(chunk))) + GzipSamples.member(Array(bytes.dropFirst(chunk)))
            let read = try ReadAll(packed, chunk: 7, most: chunk, framing: Self.headed)
            #expect(read.texts == expected.texts)
            #expect(read.records.map(\.position.line) == expected.records.map(\.position.line))
        }
    }

    @Test("an unclosed quote before many short lines leaves batches of the usual size, and no more in memory")
    func openBeforeMany() throws {
        let bytes = Array(("a,b\n2,\"open\n" + String(repeating: "\n", count: 200_000) + "3,y").utf8)
        let read = try ReadAll(bytes, maxRecord: 100_000, framing: Self.headed)
        #expect(read.cuts.map(\.records) == Array(repeating: 32_768, count: 6) + [3394])
        #expect(read.texts[0] == "2,\"open")
        #expect(read.records.last == ReadAll.Record(bytes: Array("3,y".utf8), position: Position(member: 0, offset: 200_012, line: 200_003)))
        #expect(try ReadAll(bytes, maxRecord: 100_000, chunk: 1000, framing: Self.headed) == read)
        let scan = Framing.quoted(Quoting()).makeScan(maxRecord: 100_000)
        let buffer = ByteBuffer(capacity: bytes.count)
        bytes.withUnsafeBufferPointer { buffer.append($0) }
        scan.advance(over: buffer)
        scan.endRecord(of: buffer)
        #expect((32_769..<50_000).contains(scan.frames.count))
    }

    @Test("a quote that is open at damage may be closed by what is lost, so all after it is", arguments: libraries)
    func openAtDamage(library: DeflateLibrary) throws {
        let rest = (0..<20_000).map { "\($0),\($0 &* 2_654_435_761)\n" }.joined()
        let packed = GzipSamples.member("a,b\n1,x\n2,\"open\n" + rest)
        let whole = try ReadAll(packed, library: library, framing: Self.headed)
        #expect(whole.records.count == 2)
        let cut = try ReadAll(Array(packed.prefix(packed.count / 2)), library: library, framing: Self.headed)
        #expect(cut.texts == ["1,x"])
        #expect(cut.kinds == [.truncated])
        let lost = try #require(cut.damage.first).lostText
        #expect(lost > 100_000)
    }

    @Test("an unclosed quote in a long file costs its line", arguments: [64 << 10, 3 << 20])
    func openQuote(maxRecord: Int) throws {
        let good = (0..<400_000).map { "\($0),good\n" }.joined()
        let text = "id,name\n" + good + "7,\"open\n" + good
        let expected = try ReadAll(Array(text.utf8), maxRecord: maxRecord, framing: Self.headed)
        #expect(expected.records.count == 800_001)
        #expect(expected.texts[400_000] == "7,\"open")
        #expect(expected.texts[400_001] == "0,good")
        #expect(expected.records[800_000].position.line == 800_002)
        #expect(expected.cuts.allSatisfy { $0.records > 1_000 })
        #expect(try ReadAll(Array(text.utf8), maxRecord: maxRecord, chunk: 100_000, most: 5000, framing: Self.headed) == expected)
    }

    @Test("a record over the limit ends with its line")
    func oversized() throws {
        let long = "\"" + String(repeating: "x", count: 3 << 20)
        let text = "a,b\n\"1\n2\",3\n\"p\nq\"," + long + "\n4,5\n"
        let read = try ReadAll(Array(text.utf8), maxRecord: 1 << 20, framing: Self.headed)
        #expect(read.texts == ["\"1\n2\",3", "4,5"])
        #expect(read.spilled.map(\.byteCount) == [UInt64(long.utf8.count + 6)])
        #expect(read.spilled.map(\.position.line) == [4])
        #expect(read.records.map(\.position.line) == [2, 6])
    }

    @Test("short lines after a wide header come in small batches, so that missing fields take no memory")
    func bomb() throws {
        let head = (0..<1000).map { "c\($0)" }.joined(separator: ",")
        let text = head + "\n" + String(repeating: "1\n", count: 5000)
        let read = try ReadAll(Array(text.utf8), framing: Self.headed)
        #expect(read.cuts.map(\.records).dropLast() == Array(repeating: Batch.targetBytes / 1000, count: 9)[...])
        #expect(read.records.count == 5000)
        #expect(read.records[4999].position.line == 5001)
        #expect(try ReadAll(Array(text.utf8), chunk: 100, framing: Self.headed) == read)
        #expect(try ReadAll(Array(GzipSamples.member(Array(text.utf8)).dropLast(3)), framing: Self.headed).records.count == 5000)
    }
}
