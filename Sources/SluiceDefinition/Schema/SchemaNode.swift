/// A JSON value whose members keep their order.
indirect enum SchemaNode: Sendable, Hashable {
    case text(String)
    case number(Int)
    case flag(Bool)
    case list([SchemaNode])
    case object([Member])

    struct Member: Sendable, Hashable {
        var key: String
        var value: SchemaNode
    }

    static func texts(_ texts: [String]) -> SchemaNode { .list(texts.map { .text($0) }) }

    /// Appends a member; does nothing if the value is `nil`.
    func with(_ key: String, _ value: SchemaNode?) -> SchemaNode {
        guard case .object(let members) = self, let value else { return self }
        return .object(members + [Member(key: key, value: value)])
    }

    /// The node, and its alternatives, without these members.
    func without(_ keys: [String]) -> SchemaNode {
        guard case .object(let members) = self else { return self }
        return .object(
            members.filter { !keys.contains($0.key) }.map { member in
                guard member.key == "anyOf", case .list(let ways) = member.value else { return member }
                return Member(key: member.key, value: .list(ways.map { $0.without(keys) }))
            })
    }
}

extension SchemaNode: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    init(stringLiteral text: String) { self = .text(text) }
    init(integerLiteral number: Int) { self = .number(number) }
    init(booleanLiteral flag: Bool) { self = .flag(flag) }
    init(arrayLiteral elements: SchemaNode...) { self = .list(elements) }
    init(dictionaryLiteral members: (String, SchemaNode)...) { self = .object(members.map { Member(key: $0, value: $1) }) }
}

extension SchemaNode {
    /// Formats as JSON, with one member per line, and short lists on one line.
    func json(indent: Int = 0) -> String {
        let margin = String(repeating: " ", count: indent + 2)
        let end = "\n" + String(repeating: " ", count: indent)
        switch self {
        case .text(let text): return Self.quoted(text)
        case .number(let number): return String(number)
        case .flag(let flag): return flag ? "true" : "false"
        case .list(let elements):
            let short = "[" + elements.map { $0.json(indent: indent) }.joined(separator: ", ") + "]"
            if short.utf8.count <= 100, !short.contains("\n") { return short }
            return "[\n" + elements.map { margin + $0.json(indent: indent + 2) }.joined(separator: ",\n") + end + "]"
        case .object(let members):
            if members.isEmpty { return "{}" }
            let lines = members.map { margin + Self.quoted($0.key) + ": " + $0.value.json(indent: indent + 2) }
            return "{\n" + lines.joined(separator: ",\n") + end + "}"
        }
    }

    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
