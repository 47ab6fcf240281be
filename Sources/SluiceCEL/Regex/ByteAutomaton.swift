import CBytes

/// A deterministic automaton over bytes that determines whether a pattern matches anywhere in a
/// text: one table lookup per byte.
///
/// Built completely in advance, and only for patterns that fit a small table; RE2 does the rest.
/// Texts without what every match contains are refused before that, and patterns that must begin
/// with one of a few pairs of bytes skip to those, with vector instructions. For figures see
/// `docs/decisions/0002-regular-expressions.md`.
///
/// Safe because the tables are only written in `init`, every entry is the offset of one of its
/// rows, and every lookup adds less than a row.
final class ByteAutomaton: Sendable {
    let matcher: Matcher

    /// The tables, without their owner: matching counts no references, for which threads would wait
    /// for each other. Valid as long as the automaton.
    ///
    /// `@unchecked Sendable`: nothing changes after `init`.
    struct Matcher: @unchecked Sendable {
        /// The offset of the row that has matched. It is final, as is that of the row that can
        /// never match, 0.
        fileprivate let accepted: UInt16
        fileprivate let start: UInt16
        fileprivate let classCount: Int
        fileprivate let table: UnsafeMutablePointer<UInt16>
        fileprivate let classes: UnsafeMutablePointer<UInt8>
        /// A matching text begins with these bytes, and `start` is the state after them.
        fileprivate let prefix: UnsafeMutableBufferPointer<UInt8>
        /// Every match begins with one of these pairs of bytes (first, second, first, second, …);
        /// empty if nothing is known.
        fileprivate let pairs: UnsafeMutableBufferPointer<UInt8>
        /// Every match, anywhere in the text, contains these bytes; empty if nothing is known.
        fileprivate let required: UnsafeMutableBufferPointer<UInt8>
        /// Whether a match is these bytes and no others.
        fileprivate let isText: Bool
    }

    /// `rows` are the states: 0 is dead, 1 has accepted. Each has an entry per class and one more
    /// for the end of the text.
    init(classes: [UInt8], rows: [[Int]], start: Int, prefix: [UInt8], pairs: [UInt8], required: [UInt8], isText: Bool) {
        precondition(classes.count == 256)
        let width = rows[0].count
        matcher = Matcher(
            accepted: UInt16(width), start: UInt16(start * width), classCount: width - 1, table: Self.copy(rows.joined().map { UInt16($0 * width) }).start,
            classes: Self.copy(classes).start, prefix: Self.copy(prefix).all, pairs: Self.copy(pairs).all, required: Self.copy(required).all, isText: isText)
    }

    private static func copy<Element: BitwiseCopyable>(
        _ elements: [Element]
    ) -> (start: UnsafeMutablePointer<Element>, all: UnsafeMutableBufferPointer<Element>) {
        let start = UnsafeMutablePointer<Element>.allocate(capacity: max(1, elements.count))
        start.initialize(from: elements, count: elements.count)
        return (start, UnsafeMutableBufferPointer(start: start, count: elements.count))
    }

    deinit {
        matcher.table.deallocate()
        matcher.classes.deallocate()
        for text in [matcher.prefix, matcher.pairs, matcher.required] { text.deallocate() }
    }

    func matches(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool { matcher.matches(bytes) }
}

extension ByteAutomaton.Matcher {
    func matches(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let text = bytes.baseAddress, let begin = prefix.baseAddress, let part = required.baseAddress else {
            return prefix.isEmpty && table[Int(start) + classCount] == accepted
        }
        if !required.isEmpty {
            guard cbytes_find(text, bytes.count, part, required.count) >= 0 else { return false }
            if isText { return true }
        }
        if !pairs.isEmpty { return runFromPair(text, bytes.count) }
        guard cbytes_has_prefix(text, bytes.count, begin, prefix.count) != 0 else { return false }
        return run(text, from: prefix.count, bytes.count)
    }

    private func run(_ text: UnsafePointer<UInt8>, from first: Int, _ count: Int) -> Bool {
        var state = start
        if state <= accepted { return state == accepted }
        for index in first..<count {
            state = table[Int(state) &+ Int(classes[Int(text[index])])]
            if state <= accepted { return state == accepted }
        }
        return table[Int(state) &+ classCount] == accepted
    }

    /// Skips whenever no match is in progress, which is when the automaton is back in its first
    /// state. Each of the two looks at each byte once, so this is linear.
    private func runFromPair(_ text: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        var state = start
        var index = 0
        while true {
            if state == start {
                index = cbytes_find_pair(text, index, count, pairs.baseAddress, pairs.count / 2)
            }
            guard index < count else { break }
            state = table[Int(state) &+ Int(classes[Int(text[index])])]
            index &+= 1
            if state <= accepted { break }
        }
        return state == accepted || table[Int(state) &+ classCount] == accepted
    }
}
