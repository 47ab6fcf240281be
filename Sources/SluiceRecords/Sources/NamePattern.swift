/// A pattern for one name of a path: `*`, `?`, `[…]`, `\`. Matches characters, not bytes; in time proportional to name times pattern.
struct NamePattern {
    fileprivate enum Piece {
        case character(Character)
        case any
        case run
        case set([ClosedRange<Character>], isNegated: Bool)
    }

    private let pieces: [Piece]
    /// Where the name holds nothing special: the name.
    let literal: String?
    let matchesHidden: Bool

    static func isPattern(_ text: String) -> Bool {
        text.contains { "*?[{\\".contains($0) }
    }

    /// - Parameter whole: the pattern as it was written, for the error.
    init(_ text: String, of whole: String) throws(InputError) {
        let characters = Array(text)
        var pieces: [Piece] = []
        var literal: String? = ""
        var at = 0
        while at < characters.count {
            switch characters[at] {
            case "*":
                if case .run? = pieces.last {} else { pieces.append(.run) }
                literal = nil
            case "?":
                pieces.append(.any)
                literal = nil
            case "[":
                guard let end = Self.endOfSet(in: characters, from: at) else {
                    throw .badPattern(pattern: whole, reason: "a '[' without its ']'; write '\\[' for the character")
                }
                pieces.append(try Self.set(characters[(at + 1)..<end], of: whole))
                literal = nil
                at = end
            case "\\":
                at += 1
                guard at < characters.count else { throw .badPattern(pattern: whole, reason: "nothing behind the last '\\'") }
                fallthrough
            default:
                pieces.append(.character(characters[at]))
                literal?.append(characters[at])
            }
            at += 1
        }
        self.pieces = pieces
        self.literal = literal
        if case .character(".") = pieces.first { matchesHidden = true } else { matchesHidden = false }
    }

    func matches(_ name: String) -> Bool {
        if let literal { return name == literal }
        if name.first == ".", !matchesHidden { return false }
        let name = Array(name)
        var (at, piece) = (0, 0)
        // Where the last `*` stands, and how far it reaches so far.
        var star: (piece: Int, at: Int)?
        while at < name.count {
            if piece < pieces.count, case .run = pieces[piece] {
                star = (piece, at)
                piece += 1
            } else if piece < pieces.count, pieces[piece].matches(name[at]) {
                at += 1
                piece += 1
            } else if let last = star {
                star = (last.piece, last.at + 1)
                (at, piece) = (last.at + 1, last.piece + 1)
            } else {
                return false
            }
        }
        return pieces[piece...].allSatisfy { if case .run = $0 { true } else { false } }
    }

    /// Where the `]` of the set that begins at `start` stands. A `]` that comes first is a member.
    static func endOfSet(in pattern: [Character], from start: Int) -> Int? {
        var at = start + 1
        if at < pattern.count, "!^".contains(pattern[at]) { at += 1 }
        if at < pattern.count, pattern[at] == "]" { at += 1 }
        while at < pattern.count, pattern[at] != "/" {
            if pattern[at] == "]" { return at }
            at += pattern[at] == "\\" ? 2 : 1
        }
        return nil
    }

    private static func set(_ text: ArraySlice<Character>, of whole: String) throws(InputError) -> Piece {
        var rest = text
        let isNegated = rest.first == "!" || rest.first == "^"
        if isNegated { rest.removeFirst() }
        var ranges: [ClosedRange<Character>] = []
        while let first = takeMember(&rest) {
            guard rest.first == "-", rest.count > 1 else {
                ranges.append(first...first)
                continue
            }
            rest.removeFirst()
            guard let last = takeMember(&rest), first <= last else {
                throw .badPattern(pattern: whole, reason: "a range that runs backwards in '[\(String(text))]'")
            }
            ranges.append(first...last)
        }
        return .set(ranges, isNegated: isNegated)
    }

    private static func takeMember(_ rest: inout ArraySlice<Character>) -> Character? {
        if rest.first == "\\", rest.count > 1 { rest.removeFirst() }
        return rest.popFirst()
    }
}

extension NamePattern.Piece {
    fileprivate func matches(_ character: Character) -> Bool {
        switch self {
        case .character(let wanted): character == wanted
        case .any: true
        case .run: false
        case .set(let ranges, let isNegated): ranges.contains { $0.contains(character) } != isNegated
        }
    }
}
