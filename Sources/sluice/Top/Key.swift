/// A key of a terminal.
enum Key: Equatable, Sendable {
    case character(Character)
    case up, down, left, right, home, end, pageUp, pageDown
    case enter, escape, backspace
    /// Ctrl and a letter, in lower case.
    case control(Character)
}

/// Keys from the bytes that a terminal sends.
struct KeyReader {
    /// The beginning of a character or of an escape sequence.
    private var rest: [UInt8] = []
    /// Longer sequences are none.
    private static let longest = 32

    /// - Parameter bytes: what was read at once. A terminal sends a sequence at once, so an escape
    ///   at the end is the key.
    mutating func read(_ bytes: some Sequence<UInt8>) -> [Key] {
        var bytes = (rest + bytes)[...]
        rest = []
        var keys: [Key] = []
        while let first = bytes.first {
            if first == 0x1B {
                guard let sequence = Self.sequence(bytes) else {
                    rest = bytes.count > Self.longest ? [] : Array(bytes)
                    return keys
                }
                if let key = sequence.key { keys.append(key) }
                bytes = bytes.dropFirst(sequence.count)
                continue
            }
            let count = Self.length(first)
            guard bytes.count >= count else {
                rest = Array(bytes)
                return keys
            }
            if let key = Self.key(bytes.prefix(count)) { keys.append(key) }
            bytes = bytes.dropFirst(count)
        }
        return keys
    }

    /// Of a character in UTF-8.
    private static func length(_ first: UInt8) -> Int {
        switch first {
        case 0xC2...0xDF: 2
        case 0xE0...0xEF: 3
        case 0xF0...0xF4: 4
        default: 1
        }
    }

    private static func key(_ bytes: ArraySlice<UInt8>) -> Key? {
        guard let first = bytes.first else { return nil }
        switch first {
        case 0x0A, 0x0D: return .enter
        case 0x08, 0x7F: return .backspace
        case 1...26: return .control(Character(Unicode.Scalar(first + 0x60)))
        case 0..<0x20: return nil
        default: return String(validating: bytes, as: UTF8.self)?.first.map(Key.character)
        }
    }

    /// - Parameter bytes: beginning with an escape.
    /// - Returns: the key, if it is known, and the length of the sequence; `nil` if it has no end.
    private static func sequence(_ bytes: ArraySlice<UInt8>) -> (key: Key?, count: Int)? {
        let after = bytes.dropFirst()
        guard let second = after.first else { return (.escape, 1) }
        if second == 0x1B { return (.escape, 1) }
        guard second == UInt8(ascii: "[") || second == UInt8(ascii: "O") else { return (nil, 2) }
        let body = after.dropFirst()
        guard let end = body.firstIndex(where: { (0x40...0x7E).contains($0) }) else { return nil }
        let text = String(decoding: body[...end], as: UTF8.self)
        return (names[text], bytes.distance(from: bytes.startIndex, to: end) + 1)
    }

    private static let names: [String: Key] = [
        "A": .up, "B": .down, "C": .right, "D": .left, "H": .home, "F": .end, "1~": .home, "7~": .home, "4~": .end, "8~": .end, "5~": .pageUp, "6~": .pageDown,
    ]
}
