import CBytes
import SluiceRecords
import Testing

@Suite("Vector kernels")
struct ScanKernelTests {
    @Test("each gives the same mask as its byte-by-byte reference", arguments: 1...4 as ClosedRange<UInt64>)
    func twins(seed: UInt64) {
        var random = Seeded(seed)
        let special = Array("\"\\0/9:;,-.%_azAZ@[`{ ~".utf8) + [0x00, 0x01, 0x1F, 0x20, 0x7F, 0x80, 0xFF]
        var text = [UInt8](repeating: 0, count: 32)
        for _ in 0..<5000 {
            for index in text.indices {
                text[index] =
                    Bool.random(using: &random) ? special[Int.random(in: 0..<special.count, using: &random)] : UInt8.random(in: 0...255, using: &random)
            }
            let other = text.map { Bool.random(using: &random) ? $0 : UInt8.random(in: 0...255, using: &random) }
            #expect(cbytes_string_stops32(text) == cbytes_string_stops32_portable(text))
            #expect(cbytes_nondigits16(text) == cbytes_nondigits16_portable(text))
            #expect(cbytes_equals32(text, text[0]) == cbytes_equals32_portable(text, text[0]))
            #expect(cbytes_quotes32(text) == cbytes_quotes32_portable(text))
            #expect(cbytes_same32(text, other) == cbytes_same32_portable(text, other))
            #expect(cbytes_nonascii32(text) == cbytes_nonascii32_portable(text))
            #expect(cbytes_nonascii_or_nul32(text) == cbytes_nonascii_or_nul32_portable(text))
            #expect(cbytes_host_stops16(text) == cbytes_host_stops16_portable(text))
        }
    }

    @Test("those of fields, too", arguments: 1...4 as ClosedRange<UInt64>)
    func fields(seed: UInt64) {
        var random = Seeded(seed)
        let special = Array(",\"\\\n\r; a".utf8) + [0x80, 0xFF]
        var text = [UInt8](repeating: 0, count: 200)
        for _ in 0..<2000 {
            for index in text.indices { text[index] = special[Int.random(in: 0..<special.count, using: &random)] }
            let (separator, quote, escape) = (text[0], text[1], text[2])
            let found = cbytes_fields64(text, separator, quote)
            let expected = cbytes_fields64_portable(text, separator, quote)
            #expect([found.separators, found.quotes, found.beyond] == [expected.separators, expected.quotes, expected.beyond])
            #expect(cbytes_quoting_needs32(text, separator, quote, escape) == cbytes_quoting_needs32_portable(text, separator, quote, escape))
            var from = UInt32.random(in: 0..<64, using: &random)
            let (first, to) = (from, from + UInt32.random(in: 0...70, using: &random))
            var stops = [UInt32](repeating: 0, count: 200)
            var hasQuotes = false
            let count = cbytes_line_ends_and_quotes(text, &from, to, quote, escape, &hasQuotes, &stops, stops.count)
            let wanted = (first..<to).filter { [quote, escape, 0x0A].contains(text[Int($0)]) }
            #expect(Array(stops.prefix(count)) == wanted)
            #expect(hasQuotes == wanted.contains { text[Int($0)] != 0x0A } || quote == 0x0A || escape == 0x0A)
            #expect(from == to)
        }
    }

    @Test("UTF-8 validation agrees with the standard library", arguments: 1...4 as ClosedRange<UInt64>)
    func utf8(seed: UInt64) {
        var random = Seeded(seed)
        let pieces: [[UInt8]] = ["a", "é", "€", "😀", "\u{10FFFF}", "\u{800}", "0123456789012345678901234567890123456789"].map { Array($0.utf8) }
        for _ in 0..<2000 {
            var text = (0..<Int.random(in: 0..<20, using: &random)).flatMap { _ in pieces[Int.random(in: 0..<pieces.count, using: &random)] }
            if Bool.random(using: &random), !text.isEmpty { text[Int.random(in: 0..<text.count, using: &random)] = UInt8.random(in: 0...255, using: &random) }
            let memory = GuardedText(atLeast: text.count)
            let placed = memory.place(text, filler: 0x80)
            let invalid = withExtendedLifetime(memory) { UTF8Text.firstInvalid(in: placed) }
            #expect((invalid == nil) == (String(validating: text, as: UTF8.self) != nil), "\(text)")
            if let invalid { #expect(String(validating: text[..<invalid], as: UTF8.self) != nil) }
        }
    }
}
