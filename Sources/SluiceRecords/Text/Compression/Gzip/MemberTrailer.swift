/// The last eight bytes of a member.
struct MemberTrailer: Equatable {
    static let count = 8

    var crc: UInt32
    /// The length of the text modulo 2^32.
    var count: UInt32

    init(crc: UInt32, count: UInt32) {
        self.crc = crc
        self.count = count
    }

    init(_ checksum: TextChecksum) {
        self.init(crc: checksum.crc, count: UInt32(truncatingIfNeeded: checksum.count))
    }

    /// `nil` if there are fewer than eight bytes.
    init?(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) {
        guard bytes.count >= Self.count else { return nil }
        let word = { (at: Int) in (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[bytes.startIndex + at + $1]) << (8 * UInt32($1)) } }
        self.init(crc: word(0), count: word(4))
    }

    var bytes: [UInt8] { crc.littleEndianBytes + count.littleEndianBytes }
}

extension UInt32 {
    var littleEndianBytes: [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: self >> (8 * UInt32($0))) } }
}
