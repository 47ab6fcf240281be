import SluiceCEL
import Testing

@testable import SluiceRecords

@Suite("Framing of syslog messages")
struct SyslogScanTests {
    @Test("lines, and messages that begin with their number of bytes", arguments: [1, 2, 3, 5, 7, 1 << 20])
    func cuts(chunk: Int) {
        let text = "<1>a\n6 <1>b\nc7 <1>d\ne\n\n<1>f\n12 x\n9 <1>ghijkl"
        #expect(
            ScanPieces(text, in: chunk) { SyslogScan(maxRecord: 1000) }.records == [
                "0:<1>a", "1:6 <1>b\nc", "2:7 <1>d\ne\n", "5:<1>f", "6:12 x", "7:9 <1>ghijkl",
            ])
    }

    @Test("a number of bytes that is too large is not believed", arguments: [1, 4, 1 << 20])
    func large(chunk: Int) {
        #expect(ScanPieces("999 <1>a\n99 <1>b\n", in: chunk) { SyslogScan(maxRecord: 50) }.records == ["0:999 <1>a", "1:99 <1>b"])
        // Within the limit it is, and the text ends too early.
        #expect(ScanPieces("999 <1>a\n99 <1>b\n", in: chunk) { SyslogScan(maxRecord: 5000) }.records == ["0:999 <1>a\n99 <1>b\n"])
    }

    @Test("random text gives the same records in pieces of any size", arguments: 1...20 as ClosedRange<UInt64>)
    func pieces(seed: UInt64) {
        var random = Seeded(seed)
        let parts = ["\n", "<", "1", "2", "9", " ", "<1>", "12 <", "7 <1>abc", "5 <2>\n", "xyz", "\r\n"]
        let text = (0..<200).map { _ in parts.randomElement(using: &random) ?? "" }.joined()
        let whole = ScanPieces(text, in: 1 << 20) { SyslogScan(maxRecord: 100) }.records
        for chunk in [1, 2, 3, 11, 64] { #expect(ScanPieces(text, in: chunk) { SyslogScan(maxRecord: 100) }.records == whole) }
    }
}

@Suite("Framing of records of several lines")
struct MultilineScanTests {
    private static func scan(_ lines: Multiline.Lines, _ pattern: String) throws -> () -> MultilineScan {
        let multiline = Multiline(lines, try Pattern(pattern))
        return { MultilineScan(multiline) }
    }

    @Test("a line begins a record, or belongs to the one before", arguments: [1, 2, 5, 1 << 20])
    func cuts(chunk: Int) throws {
        let text = "lost\n  x\n20 a\n  b\n\n20 c\r\n20 d\n  e"
        #expect(
            ScanPieces(text, in: chunk, try Self.scan(.starts, "^[0-9]")).records == ["0:lost\n  x", "2:20 a\n  b\n", "5:20 c\r", "6:20 d\n  e"])
        #expect(
            ScanPieces(text, in: chunk, try Self.scan(.continues, #"^\s"#)).records == ["0:lost\n  x", "2:20 a\n  b", "4:", "5:20 c\r", "6:20 d\n  e"])
        // The end of a line comes before its carriage return.
        #expect(ScanPieces("a$\r\nb\r\n", in: chunk, try Self.scan(.continues, "b$")).records == ["0:a$\r\nb\r"])
    }

    @Test("the last record ends with the text, with or without a line end", arguments: ["", "\n"])
    func last(end: String) throws {
        #expect(ScanPieces("1\n a" + end, in: 3, try Self.scan(.starts, "^1")).records == ["0:1\n a"])
        #expect(ScanPieces("1\n1" + end, in: 3, try Self.scan(.starts, "^1")).records == ["0:1", "1:1"])
        #expect(ScanPieces("1" + end, in: 3, try Self.scan(.starts, "^x")).records == ["0:1"])
    }
}

/// The records of a text that arrives in pieces, each with its line.
private struct ScanPieces {
    private(set) var records: [String] = []

    init(_ text: String, in chunk: Int, _ make: () -> some RecordScan) {
        let bytes = Array(text.utf8)
        let buffer = ByteBuffer(capacity: 16)
        let scan = make()
        var place = 0
        while place < bytes.count {
            let piece = bytes[place..<min(place + chunk, bytes.count)]
            piece.withUnsafeBufferPointer { buffer.append($0) }
            place += piece.count
            scan.advance(over: buffer)
        }
        scan.endRecord(of: buffer)
        let frames = scan.frames
        for (index, frame) in frames.enumerated() {
            let record = buffer.filled[Int(frame.start)..<Int(frame.start + frame.count)]
            records.append("\(frame.lineDelta):" + String(decoding: record, as: UTF8.self))
            if index + 1 < frames.count, scan.lines(of: index + 1) != Int(frames[index + 1].lineDelta) { records.append("line?") }
        }
        if bytes.last == 0x0A, scan.lines(of: frames.count) != bytes.count(where: { $0 == 0x0A }) { records.append("\(scan.lines(of: frames.count)) lines") }
        buffer.count = 0
    }
}
