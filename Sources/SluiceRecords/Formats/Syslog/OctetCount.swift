/// The number of bytes that precedes a message with octet counting (RFC 6587): `83 <34>1 …`.
///
/// Unsafe memory: reads within the text, and 16 bytes after it, which must be readable.
struct OctetCount {
    /// The number of digits; a blank follows them.
    let digits: Int
    /// The number of bytes after the blank.
    let count: Int

    /// The longest count and what tells it from other text.
    static let most = 11

    /// - Returns: `nil` if the text begins with something else. No record without a count begins
    ///   with digits, a blank and `<`.
    init?(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) {
        guard start < end, start.pointee >= UInt8(ascii: "1"), start.pointee <= UInt8(ascii: "9") else { return nil }
        let after = min(JSONScan.digits(start, end), end)
        guard after - start <= 9, after + 1 < end, after[0] == 0x20, after[1] == UInt8(ascii: "<") else { return nil }
        digits = after - start
        count = Int(JSONNumber.integer(start, digits))
    }
}
