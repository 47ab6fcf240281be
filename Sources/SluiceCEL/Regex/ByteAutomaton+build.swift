extension ByteAutomaton {
    /// The maximum number of entries in a table, so that it stays in the first-level cache.
    private static let maxEntries = 12_288
    private static let maxNodes = 2_000

    /// nil if the pattern uses syntax that only RE2 knows, or needs too large a table.
    convenience init?(pattern: String) {
        guard let tree = RegexParser.parse(pattern) else { return nil }
        var nodes = PositionGraph(limit: Self.maxNodes)
        guard let body = nodes.add(tree, then: nodes.match) else { return nil }
        var subsets = SubsetConstruction(graph: nodes, body: body, maxEntries: Self.maxEntries)
        guard subsets.build() else { return nil }
        let loops = subsets.initialState == subsets.loopState
        let pairs = loops ? subsets.leadingPairs(maximum: 4) : []
        let prefix = subsets.requiredPrefix()
        // A text that is as short as a pair is found no sooner.
        let required = loops && prefix.bytes.isEmpty ? tree.requiredText : []
        self.init(
            classes: subsets.classes, rows: subsets.rows, start: prefix.state, prefix: prefix.bytes, pairs: pairs,
            required: required.count > 2 ? required : [], isText: tree.isText)
    }
}

/// The Thompson graph of a pattern: its positions, and where a byte leads from each.
struct PositionGraph {
    enum Position {
        case byte(low: UInt8, high: UInt8, next: Int)
        case set(ASCIISet, next: Int)
        case split(Int, Int)
        case textStart(next: Int)
        case textEnd(next: Int)
        case match
    }

    private(set) var positions: [Position] = [.match]
    let match = 0
    private(set) var hasTextStart = false
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    private mutating func append(_ position: Position) -> Int? {
        guard positions.count < limit else { return nil }
        positions.append(position)
        return positions.count - 1
    }

    /// The position from which to match `node` and then `next`; nil above the limit.
    mutating func add(_ node: RegexNode, then next: Int) -> Int? {
        switch node {
        case .empty: return next
        case .byte(let byte): return append(.byte(low: byte, high: byte, next: next))
        case .one(let ascii, let beyond): return add(ascii, beyond, then: next)
        case .textStart:
            hasTextStart = true
            return append(.textStart(next: next))
        case .textEnd: return append(.textEnd(next: next))
        case .optional(let node): return add(node, then: next).flatMap { append(.split($0, next)) }
        case .concat(let nodes):
            var position = next
            for node in nodes.reversed() {
                guard let earlier = add(node, then: position) else { return nil }
                position = earlier
            }
            return position
        case .alternate(let nodes):
            var position: Int?
            for node in nodes {
                guard let branch = add(node, then: next) else { return nil }
                guard let other = position else {
                    position = branch
                    continue
                }
                position = append(.split(other, branch))
                if position == nil { return nil }
            }
            return position
        case .many(let node):
            guard let loop = append(.split(next, next)), let body = add(node, then: loop) else { return nil }
            positions[loop] = .split(body, next)
            return loop
        }
    }

    /// Code points from U+0080 on as RE2 reads them: it accepts overlong and too large sequences,
    /// which keeps the automaton small.
    private mutating func add(_ ascii: ASCIISet, _ beyondASCII: Bool, then next: Int) -> Int? {
        guard let set = append(.set(ascii, next: next)) else { return nil }
        guard beyondASCII else { return set }
        guard let last = append(.byte(low: 0x80, high: 0xBF, next: next)),
            let two = append(.byte(low: 0xC2, high: 0xDF, next: last)),
            let middle = append(.byte(low: 0x80, high: 0xBF, next: last)),
            let three = append(.byte(low: 0xE0, high: 0xEF, next: middle)),
            let second = append(.byte(low: 0x80, high: 0xBF, next: middle)),
            let four = append(.byte(low: 0xF0, high: 0xF4, next: second)),
            let shorter = append(.split(two, three)), let longer = append(.split(shorter, four))
        else { return nil }
        return append(.split(set, longer))
    }
}
