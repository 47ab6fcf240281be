import CZlib

/// What the trailer of a gzip member says of its text: the CRC-32 and the length.
struct TextChecksum: Hashable, Sendable {
    /// Of no text: 0.
    var crc: UInt32 = 0
    /// Bytes. A trailer has them modulo 2^32.
    var count: UInt64 = 0

    /// The checksum of this text and the other one joined. Takes less than a microsecond, whatever
    /// their lengths.
    mutating func append(_ other: TextChecksum) {
        crc = UInt32(truncatingIfNeeded: crc32_combine(uLong(crc), uLong(other.crc), Int(other.count)))
        count += other.count
    }
}
