/// Incremental validation of UTF-8 (RFC 3629: no surrogates, nothing over U+10FFFF, shortest forms
/// only).
struct UTF8Check {
    private var isValidSoFar = true
    /// The number of missing continuation bytes, and the range of the next one.
    private var missing = 0
    private var next: ClosedRange<UInt8> = 0x80...0xBF

    /// Whether the bytes so far are UTF-8.
    var isValid: Bool { isValidSoFar && missing == 0 }

    mutating func take(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard isValidSoFar else { return }
        var at = 0
        while at < bytes.count {
            if missing == 0, at + 8 <= bytes.count {
                let eight = UnsafeRawBufferPointer(bytes).loadUnaligned(fromByteOffset: at, as: UInt64.self)
                if eight & 0x8080_8080_8080_8080 == 0 {
                    at += 8
                    continue
                }
            }
            guard take(bytes[at]) else {
                isValidSoFar = false
                return
            }
            at += 1
        }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        if missing > 0 {
            guard next.contains(byte) else { return false }
            missing -= 1
            next = 0x80...0xBF
            return true
        }
        switch byte {
        case 0...0x7F: return true
        case 0xC2...0xDF: (missing, next) = (1, 0x80...0xBF)
        case 0xE0: (missing, next) = (2, 0xA0...0xBF)
        case 0xED: (missing, next) = (2, 0x80...0x9F)
        case 0xE1...0xEF: (missing, next) = (2, 0x80...0xBF)
        case 0xF0: (missing, next) = (3, 0x90...0xBF)
        case 0xF1...0xF3: (missing, next) = (3, 0x80...0xBF)
        case 0xF4: (missing, next) = (3, 0x80...0x8F)
        default: return false
        }
        return true
    }
}
