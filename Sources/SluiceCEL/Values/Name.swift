/// A name, of a field, a key, a file or a parameter, that is the same as another only if its bytes
/// are.
///
/// Swift compares a `String` by canonical equivalence: `é` in one code point equals `e` and U+0301.
/// Files, fields and keys of data that differ so are different things, and a `Set<String>`, a
/// `[String: Value]` or a `==` would make one of two. Use this as the key, and
/// ``String/isSame(as:)`` where two names are compared. The order is that of the bytes, which is
/// the order of the code points.
public struct Name: Hashable, Comparable, Sendable {
    public let text: String

    public init(_ text: String) { self.text = text }

    public static func == (left: Name, right: Name) -> Bool { left.text.isSame(as: right.text) }

    public static func < (left: Name, right: Name) -> Bool { Text.compare(left.text, right.text) < 0 }

    public func hash(into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        // No byte of UTF-8: what is hashed next cannot be taken for a part of the name.
        hasher.combine(0xFF as UInt8)
    }
}

extension Name: ExpressibleByStringLiteral, CustomStringConvertible {
    public init(stringLiteral text: String) { self.init(text) }

    public var description: String { text }
}

extension String {
    /// Whether the other text has the same bytes in UTF-8, and so the same code points: what `==`
    /// means for names and for values of records.
    public func isSame(as other: String) -> Bool { Text.areEqual(self, other) }
}

extension Sequence<String> {
    /// Whether a name with these bytes is among them.
    public func containsSame(as name: String) -> Bool { contains { $0.isSame(as: name) } }
}
