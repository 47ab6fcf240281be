extension Pattern {
    /// The parts of a replacement: `a\1b` is text, group 1, text; `\\` is one backslash.
    public struct Replacement: Sendable {
        enum Part: Sendable {
            case text([UInt8])
            case group(Int)
        }

        let parts: [Part]
        /// The highest group that it names.
        let groups: Int

        /// - Throws: ``PatternError`` if a backslash is followed by anything other than a digit or
        ///   a backslash, or the pattern has no such group.
        public init(_ text: String, for pattern: Pattern) throws(PatternError) {
            var parts: [Part] = []
            var literal: [UInt8] = []
            var groups = 0
            var rest = text.utf8[...]
            while let byte = rest.popFirst() {
                guard byte == UInt8(ascii: "\\") else {
                    literal.append(byte)
                    continue
                }
                switch rest.popFirst() {
                case UInt8(ascii: "\\"):
                    literal.append(UInt8(ascii: "\\"))
                case .some(let digit) where (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit):
                    let group = Int(digit - UInt8(ascii: "0"))
                    guard group <= pattern.groupCount else {
                        throw PatternError(
                            pattern: pattern.text,
                            message: "the replacement '\(text)' refers to group \(group), but the pattern has \(pattern.groupCount)")
                    }
                    groups = max(groups, group)
                    parts.append(.text(literal))
                    parts.append(.group(group))
                    literal = []
                default:
                    throw PatternError(
                        pattern: pattern.text,
                        message: "in the replacement '\(text)', a backslash must be followed by a digit or a backslash")
                }
            }
            parts.append(.text(literal))
            self.parts = parts
            self.groups = groups
        }
    }

    /// The text with the first `limit` matches replaced (all of them if negative).
    public func replacing(
        in bytes: UnsafeBufferPointer<UInt8>, with replacement: Replacement, limit: Int = -1
    ) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count)
        var copied = 0
        var left = limit
        if limit != 0 {
            forEachMatch(in: bytes, groups: replacement.groups) { captures in
                output.append(contentsOf: bytes[copied..<captures[0].start])
                for part in replacement.parts {
                    switch part {
                    case .text(let text): output.append(contentsOf: text)
                    case .group(let group):
                        if captures[group].isMatched { output.append(contentsOf: bytes[captures[group].range]) }
                    }
                }
                copied = captures[0].end
                left -= 1
                return left != 0
            }
        }
        output.append(contentsOf: bytes[copied...])
        return output
    }
}
