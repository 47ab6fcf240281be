import Testing

@testable import SluiceRecords

@Suite("Lines")
struct LineScanTests {
    @Test("are known to be ASCII only if all bytes are", arguments: [0, 1, 63, 64, 65, 700, 999])
    func ascii(place: Int) {
        var text = (0..<1000).map { $0 % 50 == 49 ? UInt8(ascii: "\n") : UInt8(ascii: "x") }
        for step in [1, 17, 64, 300, 1000] {
            #expect(Self.scan(text, step: step).isASCII)
        }
        text[place] = 0xC3
        for step in [1, 17, 64, 300, 1000] {
            let scan = Self.scan(text, step: step)
            #expect(!scan.isASCII)
            _ = scan.take(scan.frames.count)
            #expect(scan.isASCII)
        }
    }

    /// Scans the text as it arrives in pieces.
    private static func scan(_ text: [UInt8], step: Int) -> LineScan {
        let scan = LineScan()
        let buffer = ByteBuffer(capacity: text.count)
        text.withUnsafeBufferPointer { text in
            for start in stride(from: 0, to: text.count, by: step) {
                buffer.append(UnsafeBufferPointer(rebasing: text[start..<min(start + step, text.count)]))
                scan.advance(over: buffer)
            }
        }
        scan.endRecord(of: buffer)
        return scan
    }
}
