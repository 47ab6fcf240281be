/// A compiled regular expression in RE2 syntax over UTF-8 bytes.
///
/// Matching takes time linear in the text and memory bounded by ``memoryLimit``, whatever the
/// pattern and text. Text need not be valid UTF-8: invalid bytes match nothing but the empty
/// string. Copies share the compiled form, and any number of threads may use it at once.
public struct Pattern: Sendable {
    /// How many bytes one pattern may hold, compiled form and automaton states together. A pattern
    /// that does not fit is rejected; states that do not fit are dropped and rebuilt.
    public static let memoryLimit = 8 << 20

    public let text: String
    /// The name of each capturing group, from group 1; nil if it has none.
    public let groupNames: [String?]
    private let regex: CompiledRegex
    /// The fast path for ``matches(_:)-(UnsafeBufferPointer<UInt8>)``, if the pattern allows it.
    private let automaton: ByteAutomaton?
    /// The fast path for ``find(in:from:into:)``, if the pattern allows it.
    private let sequence: SequenceMatcher?

    public init(_ text: String) throws(PatternError) {
        let regex = try CompiledRegex(Pattern.withNamedGroupsSpelledOut(text))
        self.text = text
        self.regex = regex
        automaton = ByteAutomaton(pattern: text)
        sequence = SequenceMatcher(pattern: text)
        groupNames = regex.groupNames()
    }

    /// - Returns: nil if the pattern is invalid.
    init?(ifValid text: String) {
        do throws(PatternError) {
            self = try Pattern(text)
        } catch {
            return nil
        }
    }

    /// The number of capturing groups, without the whole match.
    public var groupCount: Int { groupNames.count }

    /// As ``matches(_:)-(UnsafeBufferPointer<UInt8>)``, valid as long as the pattern, if the
    /// pattern allows it.
    var matcher: ByteAutomaton.Matcher? { automaton?.matcher }

    /// Whether the pattern matches anywhere in the text, like CEL's `matches`.
    public func matches(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        if let automaton { return automaton.matches(bytes) }
        return regex.matches(bytes)
    }

    public func matches(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { matches($0) }
    }

    /// Finds the leftmost match at or after the byte offset `from`.
    ///
    /// Fills `captures` with the whole match and then the groups, as far as there is room: fewer
    /// captures are faster, none is fastest. Unchanged if there is no match.
    public func find(
        in bytes: UnsafeBufferPointer<UInt8>, from: Int = 0, into captures: UnsafeMutableBufferPointer<Capture>
    ) -> Bool {
        if from == 0, let sequence, !captures.isEmpty {
            switch sequence.find(in: bytes, into: captures) {
            case .match: return true
            case .noMatch: return false
            case .unknown: break
            }
        }
        return regex.find(in: bytes, from: from, into: captures)
    }

    /// Calls `body` for each match from left to right, none overlapping, until it returns false.
    ///
    /// The captures are the whole match and `groups` groups. An empty match right after another
    /// match is skipped.
    public func forEachMatch<Failure: Error>(
        in bytes: UnsafeBufferPointer<UInt8>, groups: Int,
        _ body: (UnsafeBufferPointer<Capture>) throws(Failure) -> Bool
    ) throws(Failure) {
        let captures = UnsafeMutableBufferPointer<Capture>.allocate(capacity: 1 + groups)
        captures.initialize(repeating: .unmatched)
        defer { captures.deallocate() }
        var position = 0
        var lastEnd = -1
        while position <= bytes.count, find(in: bytes, from: position, into: captures) {
            let match = captures[0]
            if match.count == 0, match.start == lastEnd {
                position = nextCodePoint(in: bytes, after: match.start)
                continue
            }
            guard try body(UnsafeBufferPointer(captures)) else { return }
            lastEnd = match.end
            position = match.count == 0 ? nextCodePoint(in: bytes, after: match.end) : match.end
        }
    }

    private func nextCodePoint(in bytes: UnsafeBufferPointer<UInt8>, after position: Int) -> Int {
        var next = position + 1
        while next < bytes.count, bytes[next] & 0xC0 == 0x80 { next += 1 }
        return next
    }
}

extension Pattern {
    /// The position of the whole match or of a group, in bytes.
    @frozen
    public struct Capture: BitwiseCopyable, Hashable, Sendable {
        /// -1 for a group that did not take part in the match.
        public var start: Int
        public var count: Int

        @inlinable
        public init(start: Int, count: Int) {
            self.start = start
            self.count = count
        }

        public static var unmatched: Capture { @inlinable get { Capture(start: -1, count: 0) } }
        public var isMatched: Bool { @inlinable get { start >= 0 } }
        public var end: Int { @inlinable get { start + count } }
        public var range: Range<Int> { @inlinable get { start..<start + count } }
    }
}
