import CBytes

/// A deterministic automaton over bytes that determines whether a pattern matches anywhere in a
/// text: one table lookup per byte.
///
/// Built completely in advance, and only for patterns that fit a small table; RE2 does the rest.
/// Texts without what every match contains are refused before that, and patterns that must begin
/// with one of a few pairs of bytes skip to those, with vector instructions. For figures see
/// `docs/decisions/0002-regular-expressions.md`.
///
/// Safe because the table is only written in `init`, every entry is the offset of one of its rows,
/// and every lookup adds less than a row.
final class ByteAutomaton: Sendable {
    /// Offsets of the row that can never match, and of the row that has matched: both are final.
    static let dead: UInt16 = 0
    let accepted: UInt16
    let start: UInt16
    let classCount: Int
    // Written in `init`, freed in `deinit`, read-only in between.
    private nonisolated(unsafe) let table: UnsafeMutablePointer<UInt16>
    private nonisolated(unsafe) let classes: UnsafeMutablePointer<UInt8>
    /// A matching text begins with these bytes, and `start` is the state after them.
    private let prefix: [UInt8]
    /// Every match begins with one of these pairs of bytes (first, second, first, second, …); empty
    /// if nothing is known.
    private let pairs: [UInt8]
    /// Every match, anywhere in the text, contains these bytes; empty if nothing is known.
    private let required: [UInt8]
    /// Whether a match is these bytes and no others.
    private let isText: Bool

    /// `rows` are the states: 0 is dead, 1 has accepted. Each has an entry per class and one more
    /// for the end of the text.
    init(classes: [UInt8], rows: [[Int]], start: Int, prefix: [UInt8], pairs: [UInt8], required: [UInt8], isText: Bool) {
        precondition(classes.count == 256)
        let width = rows[0].count
        classCount = width - 1
        accepted = UInt16(width)
        self.start = UInt16(start * width)
        self.prefix = prefix
        self.pairs = pairs
        self.required = required
        self.isText = isText
        self.classes = .allocate(capacity: 256)
        self.classes.initialize(from: classes, count: 256)
        let entries = rows.joined().map { UInt16($0 * width) }
        table = .allocate(capacity: entries.count)
        table.initialize(from: entries, count: entries.count)
    }

    deinit {
        table.deallocate()
        classes.deallocate()
    }

    func matches(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let text = bytes.baseAddress else { return prefix.isEmpty && table[Int(start) + classCount] == accepted }
        if !required.isEmpty {
            guard cbytes_find(text, bytes.count, required, required.count) >= 0 else { return false }
            if isText { return true }
        }
        if !pairs.isEmpty { return runFromPair(text, bytes.count) }
        guard cbytes_has_prefix(text, bytes.count, prefix, prefix.count) != 0 else { return false }
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
        pairs.withUnsafeBufferPointer { pairs in
            while true {
                if state == start {
                    index = cbytes_find_pair(text, index, count, pairs.baseAddress, pairs.count / 2)
                }
                guard index < count else { break }
                state = table[Int(state) &+ Int(classes[Int(text[index])])]
                index &+= 1
                if state <= accepted { break }
            }
        }
        return state == accepted || table[Int(state) &+ classCount] == accepted
    }
}
