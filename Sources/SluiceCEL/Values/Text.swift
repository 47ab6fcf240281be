internal import CBytes

/// Text as the language sees it: a sequence of code points. Swift's own `==`, `hash` and `count`
/// use canonical equivalence and graphemes, so none of them is used on values.
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
                guard let first = left.baseAddress, let second = right.baseAddress else { return left.count - right.count }
                return Int(cbytes_compare(first, left.count, second, right.count))
            }
        }
    }

    static func contains(_ text: String, _ part: String) -> Bool {
        var text = text
        var part = part
        return text.withUTF8 { text in part.withUTF8 { part in firstIndex(of: part, in: text) != nil } }
    }

    /// The byte offset of the first `part` at or after `start`.
    static func firstIndex(of part: [UInt8], in text: [UInt8], from start: Int) -> Int? {
        guard start <= text.count else { return nil }
        return part.withUnsafeBufferPointer { part in
            text.withUnsafeBufferPointer { text in
                firstIndex(of: part, in: UnsafeBufferPointer(rebasing: text[start...])).map { $0 + start }
            }
        }
    }

    private static func firstIndex(of part: UnsafeBufferPointer<UInt8>, in text: UnsafeBufferPointer<UInt8>) -> Int? {
        guard let first = part.baseAddress, part.count > 0 else { return 0 }
        guard let start = text.baseAddress else { return nil }
        let found = cbytes_find(start, text.count, first, part.count)
        return found < 0 ? nil : found
    }

    static func hasPrefix(_ text: String, _ prefix: String) -> Bool { text.utf8.starts(with: prefix.utf8) }

    static func hasSuffix(_ text: String, _ suffix: String) -> Bool {
        text.utf8.reversed().starts(with: suffix.utf8.reversed())
    }
}
