import Glibc
import Testing

@testable import SluiceCEL

@Suite("Addresses")
struct IPAddressTests {
    /// What the C library reads, which takes an IPv4-mapped address in its dotted form, too.
    private static func expected(_ text: String) -> UInt128? {
        var (v4, v6) = (in_addr(), in6_addr())
        if inet_pton(AF_INET, text, &v4) == 1 { return UInt128(UInt32(bigEndian: v4.s_addr)) }
        guard inet_pton(AF_INET6, text, &v6) == 1 else { return nil }
        let bits = withUnsafeBytes(of: v6) { $0.reduce(UInt128(0)) { $0 << 8 | UInt128($1) } }
        return text.contains(".") && bits >> 32 == 0xFFFF ? nil : bits
    }

    private static func differs(_ text: String) -> Bool { IPAddress(text)?.bits != expected(text) }

    @Test(
        "are read as by the C library",
        arguments: [
            "1.2.3.4", "0.0.0.0", "255.255.255.255", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.256", "1..2.3", "1.2.3.", ".1.2.3", "a.b.c.d", "1.2.3.4 ",
            "00.0.0.0", "", ":", "::", ":::", "::1", "1::", "1:::2", ":1", "1:", "1::2:", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8",
            "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7", "1::2::3", "12345::", "g::", "fe80::1%eth0", "FE80::aBcD", "::1.2.3.4", "::1.2.3.4:5",
            "1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:1.2.3.4", "1:2:3:4:5:6:7:1.2.3.4", "::ffff:1.2.3.4", "::ffff:102:304", "::01.2.3.4", "::1.2.3.4.5", "1.2.3.4::",
            "00001::", "::\u{661}",
        ])
    func reading(text: String) { #expect(!Self.differs(text)) }

    @Test("are read as by the C library, whatever the text", arguments: 1...8 as ClosedRange<UInt64>)
    func fuzz(seed: UInt64) {
        var random = SplitMix(state: seed)
        let pieces = ["0", "1", "255", "256", "ffff", "abcde", ":", ":", ":", "::", ".", "1.2.3.4", "f"]
        var known = 0
        for _ in 0..<20_000 {
            let text = (0..<Int.random(in: 1...18, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
            if Self.differs(text) { Issue.record("\(text)") }
            let groups = (0..<Int.random(in: 6...8, using: &random)).map { _ in String(UInt16.random(in: 0...0xFFFF, using: &random), radix: 16) }
            let address = groups.joined(separator: Bool.random(using: &random) ? ":" : ":0:").replacing(":0:", with: "::", maxReplacements: 1)
            if Self.differs(address) { Issue.record("\(address)") }
            if IPAddress(address) != nil { known += 1 }
        }
        #expect(known > 1000)
    }

    @Test("of four numbers are read as by the C library, whatever the text", arguments: 1...4 as ClosedRange<UInt64>)
    func dotted(seed: UInt64) {
        var random = SplitMix(state: seed)
        var known = 0
        for _ in 0..<20_000 {
            var text = (0..<4).map { _ in "\(random.next() % (random.next() % 8 == 0 ? 300 : 256))" }.joined(separator: ".")
            if random.next() % 2 == 0, let place = text.indices.randomElement(using: &random), let other = ".0123:/ -".randomElement(using: &random) {
                text.replaceSubrange(place...place, with: random.next() % 3 == 0 ? "" : random.next() % 2 == 0 ? "\(other)" : "\(other)\(text[place])")
            }
            if Self.differs(text) { Issue.record("\(text)") }
            if IPAddress(text) != nil { known += 1 }
        }
        #expect((8_000..<16_000).contains(known))
    }
}
