/// An IPv4 or IPv6 address.
///
/// An IPv4-mapped IPv6 address (`::ffff:0:0/96`) equals its IPv4 address.
public struct IPAddress: Sendable {
    /// All 128 bits, with an IPv4 address in the last 32.
    package let bits: UInt128
    package let isV4: Bool

    init(bits: UInt128, isV4: Bool) {
        self.bits = bits
        self.isV4 = isV4
    }

    /// Dotted decimal or RFC 4291 text, without a zone. An IPv4-mapped IPv6 address is not accepted
    /// in its dotted form.
    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        if let bits = IPAddress.readV4(bytes[...]) {
            self.init(bits: UInt128(bits), isV4: true)
        } else if let bits = IPAddress.readV6(bytes), !(bytes.contains(UInt8(ascii: ".")) && bits >> 32 == 0xFFFF) {
            self.init(bits: bits, isV4: false)
        } else {
            return nil
        }
    }

    package var width: Int { isV4 ? 32 : 128 }

    /// The IPv4 address, if this is an IPv4-mapped one.
    package var unmapped: IPAddress {
        guard !isV4, bits >> 32 == 0xFFFF else { return self }
        return IPAddress(bits: bits & 0xFFFF_FFFF, isV4: true)
    }

    private static func readV4(_ text: ArraySlice<UInt8>) -> UInt32? {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bits: UInt32 = 0
        for part in parts {
            guard (1...3).contains(part.count), part.count == 1 || part.first != UInt8(ascii: "0"),
                part.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
                let number = UInt8(String(decoding: part, as: UTF8.self))
            else { return nil }
            bits = bits << 8 | UInt32(number)
        }
        return bits
    }

    /// `::1.2.3.4` as `::102:304`; the text itself if it does not end in an IPv4 address.
    private static func withoutDots(_ text: [UInt8]) -> [UInt8] {
        guard let colon = text.lastIndex(of: UInt8(ascii: ":")), let bits = readV4(text[(colon + 1)...]) else { return text }
        let groups = String(bits >> 16, radix: 16) + ":" + String(bits & 0xFFFF, radix: 16)
        return text[...colon] + Array(groups.utf8)
    }

    private static func readV6(_ dotted: [UInt8]) -> UInt128? {
        let text = withoutDots(dotted)
        guard text.contains(UInt8(ascii: ":")) else { return nil }
        let halves = splitAtGap(text)
        guard halves.count <= 2, let head = halves.first, let before = readGroups(head) else { return nil }
        guard halves.count == 2 else { return before.count == 8 ? joined(before) : nil }
        guard let after = readGroups(halves[1]), before.count + after.count <= 7 else { return nil }
        return joined(before + [UInt16](repeating: 0, count: 8 - before.count - after.count) + after)
    }

    /// The text before and after `::`; more than two parts if it occurs twice.
    private static func splitAtGap(_ text: [UInt8]) -> [ArraySlice<UInt8>] {
        let colon = UInt8(ascii: ":")
        var parts: [ArraySlice<UInt8>] = []
        var start = 0
        var at = 0
        while at + 1 < text.count {
            if text[at] == colon, text[at + 1] == colon {
                parts.append(text[start..<at])
                start = at + 2
                at = start
            } else {
                at += 1
            }
        }
        return parts + [text[start...]]
    }

    private static func readGroups(_ text: ArraySlice<UInt8>) -> [UInt16]? {
        guard !text.isEmpty else { return [] }
        var groups: [UInt16] = []
        for part in text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false) {
            let isHexadecimal = part.allSatisfy { Character(Unicode.Scalar($0)).isHexDigit }
            guard (1...4).contains(part.count), isHexadecimal, let group = UInt16(String(decoding: part, as: UTF8.self), radix: 16)
            else { return nil }
            groups.append(group)
        }
        return groups
    }

    private static func joined(_ groups: [UInt16]) -> UInt128 {
        groups.reduce(0) { $0 << 16 | UInt128($1) }
    }
}

extension IPAddress: Hashable {
    public static func == (left: IPAddress, right: IPAddress) -> Bool {
        let (left, right) = (left.unmapped, right.unmapped)
        return left.isV4 == right.isV4 && left.bits == right.bits
    }

    public func hash(into hasher: inout Hasher) { hasher.combine(unmapped.bits) }
}

extension IPAddress: CustomStringConvertible {
    /// RFC 5952: lower case, the longest run of two or more zero groups as `::`.
    public var description: String {
        if isV4 { return (0..<4).map { String(bits >> (24 - $0 * 8) & 0xFF) }.joined(separator: ".") }
        let groups = (0..<8).map { UInt16(truncatingIfNeeded: bits >> (112 - $0 * 16)) }
        if bits >> 32 == 0xFFFF { return "::ffff:\(unmapped)" }
        guard let gap = IPAddress.longestRunOfZeros(groups) else { return IPAddress.text(groups[...]) }
        return "\(IPAddress.text(groups[..<gap.lowerBound]))::\(IPAddress.text(groups[gap.upperBound...]))"
    }

    private static func text(_ groups: ArraySlice<UInt16>) -> String {
        groups.map { String($0, radix: 16) }.joined(separator: ":")
    }

    private static func longestRunOfZeros(_ groups: [UInt16]) -> Range<Int>? {
        var longest = 0..<0
        var start = 0
        for index in 0...groups.count where index == groups.count || groups[index] != 0 {
            if index - start > longest.count { longest = start..<index }
            start = index + 1
        }
        return longest.count >= 2 ? longest : nil
    }
}

extension IPAddress {
    var isUnspecified: Bool { bits == 0 }
    var isLoopback: Bool { isV4 ? bits >> 24 == 127 : bits == 1 }
    var isLinkLocalUnicast: Bool { isV4 ? bits >> 16 == 0xA9FE : bits >> 118 == 0x3FA }
    var isLinkLocalMulticast: Bool { isV4 ? bits >> 8 == 0xE00000 : bits >> 112 & 0xFF0F == 0xFF02 }
    var isMulticast: Bool { isV4 ? bits >> 28 == 0xE : bits >> 120 == 0xFF }
    private var isBroadcast: Bool { isV4 && bits == 0xFFFF_FFFF }

    /// Neither unspecified, loopback, multicast, broadcast nor link-local; private networks count
    /// as global.
    var isGlobalUnicast: Bool {
        !(isUnspecified || isLoopback || isMulticast || isBroadcast || isLinkLocalUnicast)
    }
}

/// An address and the number of leading bits of its network: `192.168.1.5/24`.
public struct IPNetwork: Hashable, Sendable {
    package let address: IPAddress
    package let prefixLength: Int

    /// An address, a slash, and the number of bits without leading zeros.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, let address = IPAddress(parts[0]), let length = Int(parts[1]), String(length) == parts[1] else { return nil }
        self.init(address: address, prefixLength: length)
    }

    package init?(address: IPAddress, prefixLength: Int) {
        guard (0...address.width).contains(prefixLength) else { return nil }
        self.address = address
        self.prefixLength = prefixLength
    }

    /// The address with the bits after the prefix cleared.
    package var masked: IPNetwork {
        let hostBits = address.width - prefixLength
        let bits = hostBits == 128 ? 0 : (address.bits >> UInt128(hostBits)) << UInt128(hostBits)
        return IPNetwork(masked: IPAddress(bits: bits, isV4: address.isV4), prefixLength)
    }

    private init(masked address: IPAddress, _ prefixLength: Int) {
        self.address = address
        self.prefixLength = prefixLength
    }

    func contains(_ other: IPAddress) -> Bool {
        guard let other = IPNetwork(address: other, prefixLength: prefixLength), other.address.isV4 == address.isV4 else { return false }
        return other.masked.address.bits == masked.address.bits
    }

    func contains(_ other: IPNetwork) -> Bool {
        other.prefixLength >= prefixLength && contains(other.address)
    }
}

extension IPNetwork: CustomStringConvertible {
    public var description: String { "\(address)/\(prefixLength)" }
}
