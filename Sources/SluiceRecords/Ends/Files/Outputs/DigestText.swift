/// The text of a digest. The 64 hexadecimal digits of a SHA-256 take 32 bytes here, a quarter of a
/// `String`'s: a report may list a million files.
struct DigestText: Sendable, Equatable {
    private enum Contents: Sendable, Equatable {
        case sum(UInt64, UInt64, UInt64, UInt64)
        case other(String)
    }

    private let contents: Contents

    init(_ text: String) {
        var text = text
        contents = text.withUTF8 { Self.sum($0) } ?? .other(text)
    }

    var text: String {
        switch contents {
        case .sum(let first, let second, let third, let fourth):
            String(unsafeUninitializedCapacity: 64) { target in
                for (index, part) in [first, second, third, fourth].enumerated() {
                    for place in 0..<16 { target[16 * index + place] = Self.digit(UInt8(part >> (60 - 4 * UInt64(place)) & 15)) }
                }
                return 64
            }
        case .other(let text): text
        }
    }

    /// - Returns: `nil` if the text is no digest in lower case.
    private static func sum(_ text: UnsafeBufferPointer<UInt8>) -> Contents? {
        guard text.count == 64 else { return nil }
        guard let first = part(text, 0), let second = part(text, 16), let third = part(text, 32), let fourth = part(text, 48) else { return nil }
        return .sum(first, second, third, fourth)
    }

    private static func part(_ text: UnsafeBufferPointer<UInt8>, _ start: Int) -> UInt64? {
        var sum: UInt64 = 0
        for byte in text[start..<start + 16] {
            guard let value = value(of: byte) else { return nil }
            sum = sum << 4 | UInt64(value)
        }
        return sum
    }

    private static func value(of digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        default: nil
        }
    }

    private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") - 10 + value }
}

extension DigestText: Codable {
    init(from decoder: any Decoder) throws { self.init(try decoder.singleValueContainer().decode(String.self)) }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}
