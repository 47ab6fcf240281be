import CBytes

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
        var text = text
        let address = text.withUTF8 { IPAddress(utf8: $0) }
        guard let address else { return nil }
        self = address
    }

    /// As ``init(_:)``, of bytes; allocates nothing.
    package init?(utf8 text: UnsafeBufferPointer<UInt8>) {
        if let bits = IPAddress.v4(text) {
            self.init(bits: UInt128(bits), isV4: true)
        } else if let bits = IPAddress.v6(text) {
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

    /// Four numbers below 256 without leading zeros.
    package static func v4(_ text: UnsafeBufferPointer<UInt8>) -> UInt32? {
        guard let start = text.baseAddress else { return nil }
        var bits: UInt32 = 0
        return cbytes_ipv4(start, text.count, &bits) ? bits : nil
    }

    /// Eight groups of up to four hexadecimal digits. `::` stands for one group of zeros or more;
    /// the last two groups may be an IPv4 address.
    private static func v6(_ text: UnsafeBufferPointer<UInt8>) -> UInt128? {
        guard (2...45).contains(text.count) else { return nil }
        let colon = UInt8(ascii: ":")
        var (bits, count, place): (UInt128, Int, Int) = (0, 0, 0)
        var gap: Int?
        var isDotted = false
        if text[0] == colon {
            guard text[1] == colon else { return nil }
            (gap, place) = (0, 2)
        }
        while place < text.count {
            let start = place
            var group: UInt128 = 0
            while place < text.count, let digit = hexDigit(text[place]) {
                group = group << 4 | UInt128(digit)
                place += 1
            }
            if place < text.count, text[place] == UInt8(ascii: ".") {
                guard let address = v4(UnsafeBufferPointer(rebasing: text[start...])) else { return nil }
                bits = bits << 32 | UInt128(address)
                (count, isDotted, place) = (count + 2, true, text.count)
                break
            }
            guard (1...4).contains(place - start) else { return nil }
            bits = bits << 16 | group
            count += 1
            if place == text.count { break }
            guard text[place] == colon, place + 1 < text.count else { return nil }
            place += 1
            if text[place] == colon {
                guard gap == nil else { return nil }
                gap = count
                place += 1
            }
        }
        if let gap {
            guard count < 8 else { return nil }
            let after = UInt128(16 * (count - gap))
            bits = (bits >> after) << UInt128(16 * (8 - gap)) | bits & ((1 << after) - 1)
        } else if count != 8 {
            return nil
        }
        return isDotted && bits >> 32 == 0xFFFF ? nil : bits
    }

    private static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
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
        var text = text
        let network = text.withUTF8 { IPNetwork(utf8: $0) }
        guard let network else { return nil }
        self = network
    }

    /// As ``init(_:)``, of bytes; allocates nothing.
    package init?(utf8 text: UnsafeBufferPointer<UInt8>) {
        guard let slash = text.firstIndex(of: UInt8(ascii: "/")), (1...3).contains(text.count - slash - 1),
            let address = IPAddress(utf8: UnsafeBufferPointer(rebasing: text[..<slash]))
        else { return nil }
        var length = 0
        for byte in text[(slash + 1)...] {
            guard byte >= 0x30, byte <= 0x39 else { return nil }
            length = 10 * length + Int(byte - 0x30)
        }
        guard text.count - slash == 2 || text[slash + 1] != 0x30 else { return nil }
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
