import Testing

@testable import SluiceRecords

@Suite("Inflaters")
struct InflaterTests {
    /// Writes deflate data bit by bit, in blocks of fixed codes.
    private struct FixedCodes {
        private(set) var bytes: [UInt8] = []
        private var used = 8

        mutating func bits(_ value: Int, _ count: Int) {
            for bit in 0..<count {
                if used == 8 {
                    bytes.append(0)
                    used = 0
                }
                bytes[bytes.count - 1] |= UInt8((value >> bit) & 1) << UInt8(used)
                used += 1
            }
        }

        /// Huffman codes are written most significant bit first.
        mutating func code(_ value: Int, _ count: Int) {
            for bit in (0..<count).reversed() { bits((value >> bit) & 1, 1) }
        }

        mutating func literal(_ byte: UInt8) { code(0x30 + Int(byte), 8) }

        mutating func length(_ length: Int) {
            var (symbol, base) = (257, 3)
            var extra = 0
            while symbol < 285 {
                extra = symbol < 265 ? 0 : (symbol - 261) / 4
                if length < base + 1 << extra, length != 258 { break }
                base += 1 << extra
                symbol += 1
            }
            if length == 258 { (base, extra) = (258, 0) }
            if symbol < 280 { code(symbol - 256, 7) } else { code(0xC0 + symbol - 280, 8) }
            bits(length - base, extra)
        }

        /// A match at distance 24,577 + `more`, which is before the start of the text.
        mutating func farDistance(_ more: Int) {
            code(29, 5)
            bits(more, 13)
        }
    }

    private static func inflate(_ data: [UInt8], _ library: DeflateLibrary, chunk: Int, most: Int) -> (text: [UInt8], state: Inflation.State) {
        let inflater = library.makeInflater()
        var (at, text) = (0, [UInt8]())
        // Memory that holds earlier text.
        var output = Array(repeatElement("stale {}\n".utf8, count: 40).joined())
        while true {
            let step = data.withUnsafeBufferPointer { data in
                output.withUnsafeMutableBufferPointer { output in
                    inflater.inflate(
                        UnsafeBufferPointer(rebasing: data[at..<min(at + chunk, data.count)]),
                        into: UnsafeMutableBufferPointer(rebasing: output[..<min(most, output.count)]))
                }
            }
            text += output[..<step.produced]
            at += step.consumed
            if step.state == .ended || step.state == .corrupt && step.produced < min(most, output.count) { return (text, step.state) }
            if step.state == .needsInput, at == data.count { return (text, step.state) }
        }
    }

    @Test("a match that reaches before the start of the text is refused, and the text before it is complete", arguments: libraries)
    func farDistance(library: DeflateLibrary) {
        let text = Array("a line that is sound\n".utf8)
        for length in 3...258 {
            var data = FixedCodes()
            data.bits(0b010, 3)
            for byte in text { data.literal(byte) }
            data.length(length)
            data.farDistance(length * 7)
            for _ in 0..<40 { data.literal(0x62) }
            for (chunk, most) in [(1 << 20, 1 << 20), (1 << 20, 10), (1, 1 << 20), (24, 24), (1 << 20, 1)] {
                let inflated = Self.inflate(data.bytes, library, chunk: chunk, most: most)
                #expect(inflated.text == text, "\(length) bytes, \(chunk) in, \(most) out")
                #expect(inflated.state == .corrupt)
            }
        }
    }

    @Test("it is between blocks at flushes, and otherwise only where a block happens to end on a byte boundary", arguments: libraries)
    func betweenBlocks(library: DeflateLibrary) {
        let (file, places) = GzipSamples.blocks([0..<5, 5..<90, 90..<95].map { Array(GzipSamples.text($0).utf8) })
        let (data, ends) = (Array(file[10...]), places.map { $0.upperBound - 10 })
        var output = [UInt8](repeating: 0, count: 20_000)
        for end in 1...ends[2] {
            let inflater = library.makeInflater()
            let step = data.withUnsafeBufferPointer { data in
                output.withUnsafeMutableBufferPointer { inflater.inflate(UnsafeBufferPointer(rebasing: data[..<end]), into: $0) }
            }
            #expect(step.state == .needsInput)
            if ends.contains(end) { #expect(inflater.isBetweenBlocks, "\(end)") }
            // A flush takes five bytes.
            if inflater.isBetweenBlocks { #expect(ends.contains(end) || ends.contains(end + 5), "\(end)") }
        }
    }

    @Test("it is not between blocks while it has pending text", arguments: libraries)
    func heldBack(library: DeflateLibrary) {
        let block = GzipSamples.blocks([Array(GzipSamples.text(0..<5).utf8)]).places[0]
        let data = Array(GzipSamples.blocks([Array(GzipSamples.text(0..<5).utf8)]).bytes[block])
        let inflater = library.makeInflater()
        var (output, at, produced) = ([UInt8](repeating: 0, count: 30), 0, 0)
        while produced < GzipSamples.text(0..<5).utf8.count {
            #expect(!inflater.isBetweenBlocks || produced == 0)
            let step = data.withUnsafeBufferPointer { data in
                output.withUnsafeMutableBufferPointer { inflater.inflate(UnsafeBufferPointer(rebasing: data[at...]), into: $0) }
            }
            at += step.consumed
            produced += step.produced
        }
        if at < data.count {
            _ = data.withUnsafeBufferPointer { data in
                output.withUnsafeMutableBufferPointer { inflater.inflate(UnsafeBufferPointer(rebasing: data[at...]), into: $0) }
            }
        }
        #expect(inflater.isBetweenBlocks)
    }
}
