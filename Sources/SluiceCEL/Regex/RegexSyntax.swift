/// The subset of RE2's syntax that ``ByteAutomaton`` knows, as a tree over bytes.
indirect enum RegexNode {
    case empty
    /// One byte of a set of ASCII, or (`beyondASCII`) one code point from U+0080 on.
    case one(ascii: ASCIISet, beyondASCII: Bool)
    case byte(UInt8)
    case concat([RegexNode])
    case alternate([RegexNode])
    case optional(RegexNode)
    case many(RegexNode)
    case textStart
    case textEnd

    /// The longest text that each match must contain, as far as sequences tell; empty if none.
    var requiredText: [UInt8] {
        var longest: [UInt8] = []
        var run: [UInt8] = []
        collectRequired(&run, &longest)
        return run.count > longest.count ? run : longest
    }

    private func collectRequired(_ run: inout [UInt8], _ longest: inout [UInt8]) {
        switch self {
        case .byte(let byte): run.append(byte)
        case .concat(let nodes): for node in nodes { node.collectRequired(&run, &longest) }
        case .empty, .textStart, .textEnd: break
        case .one, .alternate, .optional, .many:
            if run.count > longest.count { longest = run }
            run = []
        }
    }

    /// Whether it is nothing but text.
    var isText: Bool {
        switch self {
        case .byte, .empty: true
        case .concat(let nodes): nodes.allSatisfy(\.isText)
        case .one, .alternate, .optional, .many, .textStart, .textEnd: false
        }
    }
}

/// A step of a pattern that is a sequence, for texts of ASCII alone.
enum RegexStep {
    case byte(UInt8)
    /// As many bytes of the set as possible, or (`isLazy`) as few; `most` is nil for any number.
    case run(ASCIISet, least: Int, most: Int?, isLazy: Bool)
    /// The beginning and the end of a capturing group.
    case open(Int)
    case close(Int)
    case textStart
    case textEnd
}

/// A set of the bytes 0 to 127.
struct ASCIISet: Hashable {
    var low: UInt64 = 0
    var high: UInt64 = 0

    static let all = ASCIISet(low: .max, high: .max)
    static let digit = ASCIISet("0"..."9")
    static let word = ASCIISet("0"..."9").union(ASCIISet("a"..."z")).union(ASCIISet("A"..."Z")).union(ASCIISet("_"..."_"))
    static let space = ASCIISet("\t"..."\n").union(ASCIISet("\u{0C}"..."\r")).union(ASCIISet(" "..." "))
    static let newline = ASCIISet("\n"..."\n")

    init(low: UInt64 = 0, high: UInt64 = 0) {
        self.low = low
        self.high = high
    }

    init(_ byte: UInt8) { insert(byte) }

    init(_ range: ClosedRange<Unicode.Scalar>) {
        for value in range.lowerBound.value...range.upperBound.value { insert(UInt8(truncatingIfNeeded: value)) }
    }

    mutating func insert(_ byte: UInt8) {
        if byte < 64 { low |= 1 << UInt64(byte) } else { high |= 1 << UInt64(byte & 63) }
    }

    func contains(_ byte: UInt8) -> Bool {
        byte < 64 ? low >> UInt64(byte) & 1 == 1 : byte < 128 && high >> UInt64(byte & 63) & 1 == 1
    }

    func union(_ other: ASCIISet) -> ASCIISet { ASCIISet(low: low | other.low, high: high | other.high) }
    var inverted: ASCIISet { ASCIISet(low: ~low, high: ~high) }
}

/// Parses the common part of RE2's syntax; anything else (flags, word boundaries, Unicode classes,
/// …) is left to RE2.
///
/// RE2 has already accepted the pattern, so this need not find errors.
struct RegexParser {
    private struct Unknown: Error {}

    private var rest: ArraySlice<UInt8>
    private var depth = 0
    private static let maxDepth = 50
    private static let maxRepeat = 64

    /// nil for anything it does not know.
    static func parse(_ pattern: String) -> RegexNode? {
        var parser = RegexParser(rest: Array(pattern.utf8)[...])
        do throws(Unknown) {
            let node = try parser.alternatives()
            return parser.rest.isEmpty ? node : nil
        } catch {
            return nil
        }
    }

    /// The pattern as a sequence of steps that are taken once each: no alternatives, no repeated
    /// groups; nil for other patterns.
    static func steps(of pattern: String) -> [RegexStep]? {
        var parser = RegexParser(rest: Array(pattern.utf8)[...])
        do throws(Unknown) {
            return try parser.steps()
        } catch {
            return nil
        }
    }

    private init(rest: ArraySlice<UInt8>) { self.rest = rest }

    private mutating func steps() throws(Unknown) -> [RegexStep] {
        var steps: [RegexStep] = []
        // The groups that are open; 0 for one that captures nothing.
        var open: [Int] = []
        var groups = 0
        while let byte = rest.first {
            switch Unicode.Scalar(byte) {
            case "|": throw Unknown()
            case "(":
                rest.removeFirst()
                let captures = try openGroup()
                if captures { groups += 1 }
                open.append(captures ? groups : 0)
                if captures { steps.append(.open(groups)) }
            case ")":
                rest.removeFirst()
                guard let group = open.popLast() else { throw Unknown() }
                if let next = rest.first, "*+?{".utf8.contains(next) { throw Unknown() }
                if group > 0 { steps.append(.close(group)) }
            default: steps += try step(atom())
            }
        }
        guard open.isEmpty else { throw Unknown() }
        return steps
    }

    /// Skips the beginning of a group after its parenthesis. Returns whether the group captures.
    private mutating func openGroup() throws(Unknown) -> Bool {
        if skip("?P<") || skip("?<") {
            while let byte = rest.popFirst(), byte != UInt8(ascii: ">") {}
            return true
        }
        if skip("?:") { return false }
        guard rest.first != UInt8(ascii: "?") else { throw Unknown() }
        return true
    }

    private mutating func step(_ node: RegexNode) throws(Unknown) -> [RegexStep] {
        let (least, most): (Int, Int?)
        switch rest.first {
        case UInt8(ascii: "*"): (least, most) = (0, nil)
        case UInt8(ascii: "+"): (least, most) = (1, nil)
        case UInt8(ascii: "?"): (least, most) = (0, 1)
        case UInt8(ascii: "{"): throw Unknown()
        default: return try single(node)
        }
        rest.removeFirst()
        let isLazy: Bool = skip("?")
        if let next = rest.first, "*+?{".utf8.contains(next) { throw Unknown() }
        switch node {
        case .byte(let byte): return [.run(ASCIISet(byte), least: least, most: most, isLazy: isLazy)]
        case .one(let set, _): return [.run(set, least: least, most: most, isLazy: isLazy)]
        default: throw Unknown()
        }
    }

    private func single(_ node: RegexNode) throws(Unknown) -> [RegexStep] {
        switch node {
        case .byte(let byte): return [.byte(byte)]
        case .one(let set, _): return [.run(set, least: 1, most: 1, isLazy: false)]
        case .concat(let nodes):
            var steps: [RegexStep] = []
            for node in nodes { steps += try single(node) }
            return steps
        case .textStart: return [.textStart]
        case .textEnd: return [.textEnd]
        default: throw Unknown()
        }
    }

    private mutating func skip(_ byte: Unicode.Scalar) -> Bool {
        guard rest.first == UInt8(ascii: byte) else { return false }
        rest.removeFirst()
        return true
    }

    private mutating func skip(_ text: String) -> Bool {
        guard rest.starts(with: text.utf8) else { return false }
        rest = rest.dropFirst(text.utf8.count)
        return true
    }

    private mutating func alternatives() throws(Unknown) -> RegexNode {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.maxDepth else { throw Unknown() }
        var branches = [try sequence()]
        while skip("|") as Bool { branches.append(try sequence()) }
        return branches.count == 1 ? branches[0] : .alternate(branches)
    }

    private mutating func sequence() throws(Unknown) -> RegexNode {
        var parts: [RegexNode] = []
        while let byte = rest.first, byte != UInt8(ascii: "|"), byte != UInt8(ascii: ")") {
            parts.append(try repeated(atom()))
        }
        return parts.count == 1 ? parts[0] : .concat(parts)
    }

    private mutating func repeated(_ node: RegexNode) throws(Unknown) -> RegexNode {
        let result: RegexNode
        switch rest.first {
        case UInt8(ascii: "*"): result = .many(node)
        case UInt8(ascii: "+"): result = .concat([node, .many(node)])
        case UInt8(ascii: "?"): result = .optional(node)
        case UInt8(ascii: "{"):
            rest.removeFirst()
            result = try counted(node)
            guard skip("}") else { throw Unknown() }
            return try lazyOrPlain(result)
        default: return node
        }
        rest.removeFirst()
        return try lazyOrPlain(result)
    }

    /// Whether a repetition is lazy or greedy does not affect whether the text matches.
    private mutating func lazyOrPlain(_ node: RegexNode) throws(Unknown) -> RegexNode {
        _ = skip("?") as Bool
        if let next = rest.first, "*+?{".utf8.contains(next) { throw Unknown() }
        return node
    }

    private mutating func counted(_ node: RegexNode) throws(Unknown) -> RegexNode {
        let least = try number()
        guard skip(",") else { return .concat(Array(repeating: node, count: least)) }
        var parts = Array(repeating: node, count: least)
        if rest.first == UInt8(ascii: "}") {
            parts.append(.many(node))
        } else {
            let most = try number()
            guard most >= least else { throw Unknown() }
            parts += Array(repeating: .optional(node), count: most - least)
        }
        return .concat(parts)
    }

    private mutating func number() throws(Unknown) -> Int {
        var value = 0
        var digits = 0
        while let byte = rest.first, ASCIISet.digit.contains(byte) {
            rest.removeFirst()
            value = value * 10 + Int(byte - UInt8(ascii: "0"))
            digits += 1
            guard value <= Self.maxRepeat else { throw Unknown() }
        }
        guard digits > 0 else { throw Unknown() }
        return value
    }

    private mutating func atom() throws(Unknown) -> RegexNode {
        guard let byte = rest.popFirst() else { throw Unknown() }
        switch Unicode.Scalar(byte) {
        case "^": return .textStart
        case "$": return .textEnd
        case ".": return .one(ascii: ASCIISet.newline.inverted, beyondASCII: true)
        case "(": return try group()
        case "[": return try characterClass()
        case "\\": return try escape()
        case "*", "+", "?", "{", "}", "]": throw Unknown()
        default: return byte < 0x80 ? .byte(byte) : codePoint(from: byte)
        }
    }

    private mutating func codePoint(from first: UInt8) -> RegexNode {
        var bytes: [RegexNode] = [.byte(first)]
        while let next = rest.first, next & 0xC0 == 0x80 {
            bytes.append(.byte(next))
            rest.removeFirst()
        }
        return .concat(bytes)
    }

    private mutating func group() throws(Unknown) -> RegexNode {
        _ = try openGroup()
        let node = try alternatives()
        guard skip(")") else { throw Unknown() }
        return node
    }

    private mutating func escape() throws(Unknown) -> RegexNode {
        guard let byte = rest.popFirst() else { throw Unknown() }
        switch Unicode.Scalar(byte) {
        case "A": return .textStart
        case "z": return .textEnd
        default:
            if let (set, inverted) = Self.perlClass(byte) {
                return .one(ascii: inverted ? set.inverted : set, beyondASCII: inverted)
            }
            return .byte(try escapedByte(byte))
        }
    }

    private static func perlClass(_ byte: UInt8) -> (ASCIISet, inverted: Bool)? {
        switch Unicode.Scalar(byte) {
        case "d": (.digit, false)
        case "D": (.digit, true)
        case "w": (.word, false)
        case "W": (.word, true)
        case "s": (.space, false)
        case "S": (.space, true)
        default: nil
        }
    }

    private func escapedByte(_ byte: UInt8) throws(Unknown) -> UInt8 {
        switch Unicode.Scalar(byte) {
        case "n": return 0x0A
        case "t": return 0x09
        case "r": return 0x0D
        case "f": return 0x0C
        case "v": return 0x0B
        case "a": return 0x07
        default:
            guard byte < 0x80, !ASCIISet.word.contains(byte) else { throw Unknown() }
            return byte
        }
    }

    private mutating func characterClass() throws(Unknown) -> RegexNode {
        let inverted: Bool = skip("^")
        var set = ASCIISet()
        var isFirst = true
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "]"), !isFirst {
                return .one(ascii: inverted ? set.inverted : set, beyondASCII: inverted)
            }
            isFirst = false
            guard byte < 0x80, byte != UInt8(ascii: "[") else { throw Unknown() }
            if byte == UInt8(ascii: "\\"), let named = rest.first.flatMap(Self.perlClass) {
                guard !named.inverted else { throw Unknown() }
                rest.removeFirst()
                set = set.union(named.0)
                continue
            }
            let low = try classByte(byte)
            guard rest.first == UInt8(ascii: "-"), rest.dropFirst().first != UInt8(ascii: "]") else {
                set.insert(low)
                continue
            }
            rest.removeFirst()
            guard let next = rest.popFirst(), next < 0x80, next != UInt8(ascii: "[") else { throw Unknown() }
            let high = try classByte(next)
            guard low <= high else { throw Unknown() }
            for value in low...high { set.insert(value) }
        }
        throw Unknown()
    }

    private mutating func classByte(_ byte: UInt8) throws(Unknown) -> UInt8 {
        guard byte == UInt8(ascii: "\\") else { return byte }
        guard let escaped = rest.popFirst() else { throw Unknown() }
        return try escapedByte(escaped)
    }
}
