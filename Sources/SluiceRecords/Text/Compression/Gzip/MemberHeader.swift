/// The header of a gzip member (RFC 1952, section 2.3).
struct MemberHeader {
    enum Outcome {
        case header(MemberHeader)
        /// The bytes end inside the header.
        case incomplete
        case invalid
    }

    /// The size of the header in bytes.
    var count: Int
    /// The compressed size of the whole member, including header and trailer, if an extra field
    /// gives it: BGZF's `BC` or our own `SL`.
    var memberSize: UInt64?
    /// False if the header has a CRC of its own and it is wrong.
    var isIntact: Bool

    static let magic: [UInt8] = [0x1F, 0x8B, 0x08]

    /// - Parameter checksum: computes a CRC-32, for FHCRC.
    static func parse(_ bytes: UnsafeBufferPointer<UInt8>, checksum: (UnsafeBufferPointer<UInt8>) -> UInt32) -> Outcome {
        for (index, byte) in magic.enumerated() {
            guard index < bytes.count else { return .incomplete }
            guard bytes[index] == byte else { return .invalid }
        }
        guard bytes.count > 3 else { return .incomplete }
        let flags = Flags(rawValue: bytes[3])
        guard flags.isDisjoint(with: .reserved) else { return .invalid }
        guard bytes.count >= 10 else { return .incomplete }
        var header = MemberHeader(count: 10, memberSize: nil, isIntact: true)
        if flags.contains(.extra) {
            guard bytes.count >= header.count + 2 else { return .incomplete }
            let count = Int(bytes[header.count]) | Int(bytes[header.count + 1]) << 8
            guard bytes.count >= header.count + 2 + count else { return .incomplete }
            let extra = header.count + 2..<header.count + 2 + count
            header.memberSize = memberSize(inExtra: UnsafeBufferPointer(rebasing: bytes[extra]))
            header.count = extra.upperBound
        }
        for text in [Flags.name, .comment] where flags.contains(text) {
            guard let end = bytes[header.count...].firstIndex(of: 0) else { return .incomplete }
            header.count = end + 1
        }
        if flags.contains(.headerChecksum) {
            guard bytes.count >= header.count + 2 else { return .incomplete }
            let stored = UInt32(bytes[header.count]) | UInt32(bytes[header.count + 1]) << 8
            header.isIntact = checksum(UnsafeBufferPointer(rebasing: bytes[..<header.count])) & 0xFFFF == stored
            header.count += 2
        }
        return .header(header)
    }

    private struct Flags: OptionSet {
        let rawValue: UInt8
        static let headerChecksum = Flags(rawValue: 1 << 1)
        static let extra = Flags(rawValue: 1 << 2)
        static let name = Flags(rawValue: 1 << 3)
        static let comment = Flags(rawValue: 1 << 4)
        static let reserved = Flags(rawValue: 0b1110_0000)
    }

    private static func memberSize(inExtra extra: UnsafeBufferPointer<UInt8>) -> UInt64? {
        var at = 0
        while at + 4 <= extra.count {
            let count = Int(extra[at + 2]) | Int(extra[at + 3]) << 8
            let data = at + 4..<at + 4 + count
            guard data.upperBound <= extra.count else { return nil }
            let value = data.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64(extra[$1]) }
            switch (extra[at], extra[at + 1], count) {
            case (UInt8(ascii: "B"), UInt8(ascii: "C"), 2): return value + 1
            case (UInt8(ascii: "S"), UInt8(ascii: "L"), 4): return value
            default: at = data.upperBound
            }
        }
        return nil
    }
}
