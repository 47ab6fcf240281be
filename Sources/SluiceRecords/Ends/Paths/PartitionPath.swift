/// Encodes values of records as parts of a path, so that no value can leave the folder that the
/// definition names.
///
/// Encoded as `%` and two hexadecimal digits: `/`, `%`, control characters (including NUL and 7F),
/// and a leading dot. The empty value becomes `%empty`. A result of more than 200 bytes is cut to
/// at most 120, between characters, followed by `%~` and the SHA-256 of the value. So distinct
/// values never get the same name (barring a collision of SHA-256), and no name is empty, `.` or
/// `..`.
enum PartitionPath {
    private static let most = 200
    private static let keptOfLong = 120

    static func component(_ value: String) -> String {
        if isPlain(value) { return value }
        var encoded = ""
        var kept = 0
        for scalar in value.unicodeScalars {
            if mustBeEncoded(scalar) || scalar == "." && encoded.isEmpty {
                let digits = String(scalar.value, radix: 16, uppercase: true)
                encoded += digits.utf8.count == 1 ? "%0\(digits)" : "%\(digits)"
            } else {
                encoded.unicodeScalars.append(scalar)
            }
            if encoded.utf8.count <= keptOfLong { kept = encoded.utf8.count }
        }
        if encoded.isEmpty { return "%empty" }
        guard encoded.utf8.count > most else { return encoded }
        return "\(String(decoding: encoded.utf8.prefix(kept), as: UTF8.self))%~\(Digest.of(value))"
    }

    /// Whether the value needs no encoding, as is usual.
    private static func isPlain(_ value: String) -> Bool {
        guard let first = value.utf8.first, first != UInt8(ascii: "."), value.utf8.count <= most else { return false }
        return value.utf8.allSatisfy { $0 >= 0x20 && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "%") && $0 != 0x7F }
    }

    private static func mustBeEncoded(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || scalar.value == 0x7F || scalar == "/" || scalar == "%"
    }
}
