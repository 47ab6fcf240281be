internal import CCrypto

enum Encoders {
    static let functions: [Function] = [
        Function(
            "base64.encode(bytes) -> string",
            implementation: .pure { value throws(EvaluationError) in
                guard case .bytes(let bytes) = value else { throw .noOverload("base64.encode", value) }
                return .string(base64(bytes))
            }),
        Function(
            "base64.decode(string) -> bytes",
            implementation: .text("base64.decode") { text throws(EvaluationError) in
                guard let bytes = bytes(ofBase64: Array(text.utf8)) else { throw .invalid("the text is not base64") }
                return .bytes(bytes)
            }),
        Function(
            "(string).sha256() -> string", "(bytes).sha256() -> string",
            implementation: .pure { value throws(EvaluationError) in
                switch value {
                case .string(let text): .string(try sha256(Array(text.utf8)))
                case .bytes(let bytes): .string(try sha256(bytes))
                default: throw .noOverload("sha256", value)
                }
            }),
    ]

    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func base64(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let part = bytes[start..<min(start + 3, bytes.count)]
            let bits = part.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - part.count))
            for index in 0...3 {
                text.append(index <= part.count ? alphabet[bits >> (18 - 6 * index) & 63] : UInt8(ascii: "="))
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Padding may be omitted; nil if anything else is wrong.
    static func bytes(ofBase64 text: [UInt8]) -> [UInt8]? {
        var digits = text[...]
        while digits.last == UInt8(ascii: "="), text.count - digits.count < 2 { digits.removeLast() }
        guard digits.count % 4 != 1, digits.count == text.count || text.count % 4 == 0 else { return nil }
        var bytes: [UInt8] = []
        var bits = 0
        var width = 0
        for digit in digits {
            guard let value = base64Value(digit) else { return nil }
            bits = (bits << 6 | value) & 0xFFFF
            width += 6
            if width >= 8 {
                width -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> width))
            }
        }
        return bytes
    }

    private static func base64Value(_ digit: UInt8) -> Int? {
        switch digit {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): Int(digit - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): Int(digit - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(digit - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }

    static func hexadecimal(_ bytes: some Collection<UInt8>, uppercase: Bool = false) -> String {
        let letters = UInt8(ascii: uppercase ? "A" : "a")
        func digit(_ value: UInt8) -> UInt8 { value < 10 ? UInt8(ascii: "0") + value : letters + value - 10 }
        var text: [UInt8] = []
        text.reserveCapacity(2 * bytes.count)
        for byte in bytes {
            text.append(digit(byte >> 4))
            text.append(digit(byte & 15))
        }
        return String(decoding: text, as: UTF8.self)
    }

    // A fetched algorithm is read-only, and OpenSSL counts its references atomically.
    private nonisolated(unsafe) static let sha256Algorithm = EVP_MD_fetch(nil, "SHA256", nil)

    private static func sha256(_ bytes: [UInt8]) throws(EvaluationError) -> String {
        var digest = [UInt8](repeating: 0, count: 32)
        guard let sha256Algorithm, EVP_Digest(bytes, bytes.count, &digest, nil, sha256Algorithm, nil) == 1 else {
            throw .invalid("libcrypto cannot compute SHA-256")
        }
        return hexadecimal(digest)
    }
}
