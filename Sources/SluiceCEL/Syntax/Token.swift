struct Token: Sendable {
    enum Kind: Sendable, Equatable {
        case identifier(String)
        /// In backticks: never a keyword.
        case quotedIdentifier(String)
        /// The magnitude; a sign is an operator.
        case int(UInt64)
        case uint(UInt64)
        case double(Double)
        case string(String)
        case bytes([UInt8])
        case symbol(Symbol)
        /// Could not be read, and has been reported.
        case invalid
        case end
    }

    enum Symbol: String, Sendable, CaseIterable {
        case leftParenthesis = "(", rightParenthesis = ")"
        case leftBracket = "[", rightBracket = "]"
        case leftBrace = "{", rightBrace = "}"
        case dot = ".", comma = ",", colon = ":", question = "?"
        case plus = "+", minus = "-", times = "*", divide = "/", percent = "%"
        case not = "!", and = "&&", or = "||"
        case equal = "==", notEqual = "!=", less = "<", lessOrEqual = "<=", greater = ">", greaterOrEqual = ">="
    }

    let kind: Kind
    let range: Range<Int>

    /// The token as named in messages.
    var text: String {
        switch kind {
        case .identifier(let name), .quotedIdentifier(let name): "'\(name)'"
        case .int(let value): "'\(value)'"
        case .uint(let value): "'\(value)u'"
        case .double(let value): "'\(value.text)'"
        case .string, .bytes: "a string"
        case .symbol(let symbol): "'\(symbol.rawValue)'"
        case .invalid: "this"
        case .end: "the end of the expression"
        }
    }
}
