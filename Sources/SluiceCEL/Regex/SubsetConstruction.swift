/// The subset construction: each state of the automaton is a set of positions in the pattern's
/// graph.
///
/// A search anywhere in the text adds the pattern's beginning to every set. State 0 is dead, state
/// 1 has matched.
struct SubsetConstruction {
    private static let dead = 0
    private static let accepted = 1

    /// The class of each byte: the pattern nowhere distinguishes bytes of one class.
    private(set) var classes: [UInt8] = []
    /// For each state, where each class leads, and then whether the end of the text matches (0 or
    /// 1).
    private(set) var rows: [[Int]] = []
    private(set) var initialState = 0
    /// The state in which no match is in progress, after the first byte.
    private(set) var loopState = 0

    private let graph: PositionGraph
    private let body: Int
    private let maxEntries: Int
    private var representatives: [UInt8] = []
    private var numbers: [[Int]: Int] = [:]
    private var sets: [[Int]] = []

    init(graph: PositionGraph, body: Int, maxEntries: Int) {
        self.graph = graph
        self.body = body
        self.maxEntries = maxEntries
    }

    /// - Returns: false if the table grows too large.
    mutating func build() -> Bool {
        makeClasses()
        sets = [[-1], [-2]]
        let width = representatives.count + 1
        rows = [Array(repeating: Self.dead, count: width), Array(repeating: Self.accepted, count: width)]
        loopState = number(of: closure([body], atStart: false))
        initialState = graph.hasTextStart ? separateState(of: closure([body], atStart: true)) : loopState
        var next = 2
        while next < sets.count {
            guard sets.count * width <= maxEntries else { return false }
            let set = sets[next]
            rows.append(representatives.map { number(of: step(set, $0)) } + [acceptsAtEnd(set, atStart: next == initialState) ? 1 : 0])
            next += 1
        }
        foldDeadStates()
        return true
    }

    private mutating func makeClasses() {
        var signatures: [[Bool]: UInt8] = [:]
        classes = []
        for value in 0...255 {
            let byte = UInt8(value)
            let signature = graph.positions.map { Self.leads($0, byte) != nil }
            let known = signatures[signature]
            if known == nil {
                signatures[signature] = UInt8(representatives.count)
                representatives.append(byte)
            }
            classes.append(known ?? UInt8(representatives.count - 1))
        }
    }

    private static func leads(_ position: PositionGraph.Position, _ byte: UInt8) -> Int? {
        switch position {
        case .byte(let low, let high, let next): low <= byte && byte <= high ? next : nil
        case .set(let set, let next): set.contains(byte) ? next : nil
        case .split, .textStart, .textEnd, .match: nil
        }
    }

    private mutating func number(of set: [Int]) -> Int {
        if set.contains(graph.match) { return Self.accepted }
        if let known = numbers[set] { return known }
        sets.append(set)
        numbers[set] = sets.count - 1
        return sets.count - 1
    }

    /// The same positions mean something else at the start of the text, where `^` still holds.
    private mutating func separateState(of set: [Int]) -> Int {
        if set.contains(graph.match) { return Self.accepted }
        sets.append(set)
        return sets.count - 1
    }

    private func step(_ set: [Int], _ byte: UInt8) -> [Int] {
        var next = set.compactMap { Self.leads(graph.positions[$0], byte) }
        next.append(body)
        return closure(next, atStart: false)
    }

    /// All positions that can be reached without reading a byte, in order.
    private func closure(_ start: [Int], atStart: Bool, atEnd: Bool = false) -> [Int] {
        var seen = [Bool](repeating: false, count: graph.positions.count)
        var open = start
        var found: [Int] = []
        while let position = open.popLast() {
            guard !seen[position] else { continue }
            seen[position] = true
            switch graph.positions[position] {
            case .split(let first, let second): open += [first, second]
            case .textStart(let next): if atStart { open.append(next) }
            case .textEnd(let next):
                if atEnd { open.append(next) }
                found.append(position)
            case .byte, .set, .match: found.append(position)
            }
        }
        return found.sorted()
    }

    private func acceptsAtEnd(_ set: [Int], atStart: Bool) -> Bool {
        closure(set, atStart: atStart, atEnd: true).contains(graph.match)
    }

    /// Merges states from which nothing can match into the dead one, so that a search ends there.
    private mutating func foldDeadStates() {
        var alive = Set([Self.accepted])
        var grew = true
        while grew {
            grew = false
            for (state, row) in rows.enumerated() where !alive.contains(state) && row.contains(where: alive.contains) {
                alive.insert(state)
                grew = true
            }
        }
        rows = rows.map { row in row.map { alive.contains($0) ? $0 : Self.dead } }
        if !alive.contains(initialState) { initialState = Self.dead }
        if !alive.contains(loopState) { loopState = Self.dead }
    }

    /// The bytes with which every matching text must begin, and the state after them. Empty for a
    /// pattern that may match anywhere.
    func requiredPrefix() -> (bytes: [UInt8], state: Int) {
        var bytes: [UInt8] = []
        var state = initialState
        while state > Self.accepted, rows[state][representatives.count] == Self.dead {
            let ways = rows[state].dropLast().enumerated().filter { $0.element != Self.dead }
            guard ways.count == 1, bytes.count < 255 else { break }
            let members = classes.indices.filter { Int(classes[$0]) == ways[0].offset }
            guard members.count == 1 else { break }
            bytes.append(UInt8(members[0]))
            state = ways[0].element
        }
        return (bytes, state)
    }

    /// The pairs of bytes with which a match must begin, if there are at most `maximum` and no
    /// match is shorter.
    func leadingPairs(maximum: Int) -> [UInt8] {
        let start = initialState
        guard start > Self.accepted, rows[start][representatives.count] == 0 else { return [] }
        var pairs: [UInt8] = []
        for first in UInt8.min...UInt8.max {
            let one = rows[start][Int(classes[Int(first)])]
            if one == start { continue }
            guard one > Self.accepted, rows[one][representatives.count] == 0 else { return [] }
            for second in UInt8.min...UInt8.max {
                // Where the second byte alone would have led: then the first made no difference.
                let two = rows[one][Int(classes[Int(second)])]
                if two == rows[start][Int(classes[Int(second)])] { continue }
                pairs += [first, second]
                if pairs.count > 2 * maximum { return [] }
            }
        }
        return pairs
    }
}
