/// Text as the language sees it: a sequence of code points. Swift's own `==`, `hash` and `count` go by canonical equivalence and by
/// grapheme, so none of them is used on values.
enum Text {
    static func areEqual(_ left: String, _ right: String) -> Bool {
        left.utf8.count == right.utf8.count && compare(left, right) == 0
    }

    /// Negative, zero or positive. UTF-8 sorts by code point.
    static func compare(_ left: String, _ right: String) -> Int {
        var left = left
        var right = right
        return left.withUTF8 { left in
            right.withUTF8 { right in
                compare(left, right)
            }
        }
    }

    static func compare(_ left: UnsafeBufferPointer<UInt8>, _ right: UnsafeBufferPointer<UInt8>) -> Int {
        for index in 0..<min(left.count, right.count) where left[index] != right[index] {
            return Int(left[index]) - Int(right[index])
        }
        return left.count - right.count
    }

    static func contains(_ text: String, _ part: String) -> Bool {
        firstIndex(of: Array(part.utf8), in: Array(text.utf8), from: 0) != nil
    }

    /// The byte offset of the first `part` at or after `start`; time is linear but for hostile repetitions.
    static func firstIndex(of part: [UInt8], in text: [UInt8], from start: Int) -> Int? {
        guard let first = part.first else { return start <= text.count ? start : nil }
        guard part.count <= text.count else { return nil }
        var at = start
        while at <= text.count - part.count {
            if text[at] == first, text[at..<at + part.count].elementsEqual(part) { return at }
            at += 1
        }
        return nil
    }

    static func hasPrefix(_ text: String, _ prefix: String) -> Bool { text.utf8.starts(with: prefix.utf8) }

    static func hasSuffix(_ text: String, _ suffix: String) -> Bool {
        text.utf8.reversed().starts(with: suffix.utf8.reversed())
    }
}

/// Text as a key of a dictionary, equal when the bytes are.
struct TextKey: Hashable, Sendable {
    let text: String

    static func == (left: TextKey, right: TextKey) -> Bool { Text.areEqual(left.text, right.text) }

    func hash(into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}
