import CZlib

/// The contents of a gzip member's trailer: CRC-32 and length of its text.
struct TextChecksum: Hashable, Sendable, Codable {
    /// 0 for an empty text.
    var crc: UInt32 = 0
    /// The length in bytes. A trailer stores it modulo 2^32.
    var count: UInt64 = 0

    /// Updates the checksum to that of both texts concatenated. Takes less than a microsecond,
    /// whatever their lengths.
    mutating func append(_ other: TextChecksum) {
        crc = UInt32(truncatingIfNeeded: crc32_combine(uLong(crc), uLong(other.crc), Int(other.count)))
        count += other.count
    }
}
