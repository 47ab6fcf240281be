/// A pattern for one name of a path: `*`, `?`, `[…]`, `\`. Matches code points, and single bytes
/// where a name is not UTF-8. Takes time proportional to the product of both lengths.
struct NamePattern {
    fileprivate enum Piece {
        case unit(UInt32)
        case any
        case run
        case set([ClosedRange<UInt32>], isNegated: Bool)
    }

    private let pieces: [Piece]
    /// The name itself, if the pattern has no special characters.
    let literal: [UInt8]?
    let matchesHidden: Bool

    static func isPattern(_ text: String) -> Bool {
        text.utf8.contains { "*?[{\\".utf8.contains($0) }
    }

    /// - Parameter whole: the original pattern, for error messages.
    init(_ text: ArraySlice<UInt8>, of whole: String) throws(InputError) {
        var pieces: [Piece] = []
        var literal: [UInt8]? = []
        var rest = text
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "*"):
                if case .run? = pieces.last {} else { pieces.append(.run) }
                literal = nil
            case UInt8(ascii: "?"):
                pieces.append(.any)
                literal = nil
            case UInt8(ascii: "["):
                guard let end = Self.endOfSet(in: text, from: rest.startIndex - 1) else {
                    throw .badPattern(pattern: whole, reason: "'[' without ']'; write '\\[' for a literal '['")
                }
                pieces.append(try Self.set(rest[..<end], of: whole))
                literal = nil
                rest = rest[(end + 1)...]
            default:
                var character = [byte]
                if byte == UInt8(ascii: "\\") {
                    guard let escaped = rest.popFirst() else { throw .badPattern(pattern: whole, reason: "it ends with '\\'") }
                    character = [escaped]
                }
                while let next = rest.first, next & 0xC0 == 0x80 { character.append(rest.removeFirst()) }
                pieces += NameBytes.units(character).map(Piece.unit)
                literal? += character
            }
        }
        self.pieces = pieces
        self.literal = literal
        if case .unit(UInt32(NameBytes.dot)) = pieces.first { matchesHidden = true } else { matchesHidden = false }
    }

    func matches(_ bytes: [UInt8]) -> Bool {
        if let literal { return bytes == literal }
        if bytes.first == NameBytes.dot, !matchesHidden { return false }
        let name = NameBytes.units(bytes)
        var (at, piece) = (0, 0)
        // The position of the last `*`, and of the end of the text that it matches so far.
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

    /// The position of the `]` that closes the set at `start`. A `]` in first position is a member.
    static func endOfSet(in pattern: ArraySlice<UInt8>, from start: Int) -> Int? {
        var at = start + 1
        if at < pattern.endIndex, "!^".utf8.contains(pattern[at]) { at += 1 }
        if at < pattern.endIndex, pattern[at] == UInt8(ascii: "]") { at += 1 }
        while at < pattern.endIndex, pattern[at] != NameBytes.slash {
            if pattern[at] == UInt8(ascii: "]") { return at }
            at += pattern[at] == UInt8(ascii: "\\") ? 2 : 1
        }
        return nil
    }

    private static func set(_ text: ArraySlice<UInt8>, of whole: String) throws(InputError) -> Piece {
        var rest = NameBytes.units(text)[...]
        let isNegated = rest.first == UInt32(UInt8(ascii: "!")) || rest.first == UInt32(UInt8(ascii: "^"))
        if isNegated { rest.removeFirst() }
        var ranges: [ClosedRange<UInt32>] = []
        while let first = takeMember(&rest) {
            guard rest.first == UInt32(UInt8(ascii: "-")), rest.count > 1 else {
                ranges.append(first...first)
                continue
            }
            rest.removeFirst()
            guard let last = takeMember(&rest), first <= last else {
                throw .badPattern(pattern: whole, reason: "a reversed range in '[\(NameBytes.shown(Array(text)))]'")
            }
            ranges.append(first...last)
        }
        return .set(ranges, isNegated: isNegated)
    }

    private static func takeMember(_ rest: inout ArraySlice<UInt32>) -> UInt32? {
        if rest.first == UInt32(UInt8(ascii: "\\")), rest.count > 1 { rest.removeFirst() }
        return rest.popFirst()
    }
}

extension NamePattern.Piece {
    fileprivate func matches(_ unit: UInt32) -> Bool {
        switch self {
        case .unit(let wanted): unit == wanted
        case .any: true
        case .run: false
        case .set(let ranges, let isNegated): ranges.contains { $0.contains(unit) } != isNegated
        }
    }
}
