extension Parser {
    private static let reserved: Set<String> = [
        "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop", "package", "namespace",
        "return", "var", "void", "while",
    ]
    private static let keywords: Set<String> = ["true", "false", "null", "in"]

    /// A primary expression and all selections, calls and indexes after it.
    mutating func member() -> Expr {
        var result = primary()
        while true {
            if take(.dot) {
                result = selection(from: result)
            } else if take(.leftBracket) {
                let isOptional = take(.question)
                let key = expression()
                closeBracket(.rightBracket)
                result = make(
                    .index(result, key, isOptional: isOptional), rangeFrom(result.range.lowerBound), [result, key])
            } else if isAt(.leftBrace), let name = result.qualifiedName {
                result = message(name, from: result.range.lowerBound)
            } else {
                return result
            }
        }
    }

    private mutating func selection(from operand: Expr) -> Expr {
        let isOptional = take(.question)
        guard let (name, isQuoted) = selector() else { return make(.invalid, rangeFrom(operand.range.lowerBound)) }
        if !isOptional, !isQuoted, take(.leftParenthesis) {
            let arguments = arguments()
            let range = rangeFrom(operand.range.lowerBound)
            if expandsMacros, let macro = memberMacro(name, of: operand, arguments, range) { return macro }
            return make(.call(name, target: operand, arguments: arguments), range, [operand] + arguments)
        }
        return make(.select(operand, name, isOptional: isOptional), rangeFrom(operand.range.lowerBound), [operand])
    }

    private mutating func selector() -> (name: Expr.Name, isQuoted: Bool)? {
        let range = token.range
        switch token.kind {
        case .identifier(let name) where !Parser.keywords.contains(name):
            advance()
            return (Expr.Name(text: name, range: range), false)
        case .quotedIdentifier(let name):
            advance()
            return (Expr.Name(text: name, range: range), true)
        default:
            reportUnexpected("a name")
            return nil
        }
    }

    private mutating func primary() -> Expr {
        let range = token.range
        switch token.kind {
        case .identifier(let name): return named(name, range)
        case .quotedIdentifier(let name):
            advance()
            return make(.identifier(name, isRooted: false), range)
        case .symbol(.dot):
            advance()
            return rooted(range)
        case .symbol(.leftParenthesis):
            advance()
            let inner = expression()
            closeBracket(.rightParenthesis)
            return inner
        case .symbol(.leftBracket): return list()
        case .symbol(.leftBrace): return map()
        case .symbol(.minus) where isSignOfNumber:
            advance()
            return literal(isNegative: true, range.lowerBound..<token.range.upperBound)
        default: return literal(isNegative: false, range)
        }
    }

    private mutating func literal(isNegative: Bool, _ range: Range<Int>) -> Expr {
        let value: Value
        switch token.kind {
        case .int(let magnitude):
            let int = isNegative ? Int64(exactly: -Int128(magnitude)) : Int64(exactly: magnitude)
            guard let int else {
                report("the number does not fit in an int", at: range)
                advance()
                return make(.invalid, range)
            }
            value = .int(int)
        case .uint(let number): value = .uint(number)
        case .double(let number): value = .double(isNegative ? -number : number)
        case .string(let text): value = .string(text)
        case .bytes(let bytes): value = .bytes(bytes)
        case .invalid:
            advance()
            return make(.invalid, range)
        default:
            reportUnexpected("an expression")
            return make(.invalid, range)
        }
        advance()
        return make(.literal(value), range)
    }

    private mutating func named(_ name: String, _ range: Range<Int>) -> Expr {
        advance()
        switch name {
        case "true": return make(.literal(.bool(true)), range)
        case "false": return make(.literal(.bool(false)), range)
        case "null": return make(.literal(.null), range)
        case _ where name == "in" || Parser.reserved.contains(name):
            report("'\(name)' is a reserved word; write a field of that name as `\(name)`", at: range)
            return make(.invalid, range)
        default: break
        }
        guard take(.leftParenthesis) else { return make(.identifier(name, isRooted: false), range) }
        return call(Expr.Name(text: name, range: range), from: range.lowerBound)
    }

    private mutating func rooted(_ dot: Range<Int>) -> Expr {
        guard let (name, _) = selector() else { return make(.invalid, dot) }
        let range = dot.lowerBound..<name.range.upperBound
        guard take(.leftParenthesis) else { return make(.identifier(name.text, isRooted: true), range) }
        return call(Expr.Name(text: "." + name.text, range: range), from: range.lowerBound)
    }

    private mutating func call(_ name: Expr.Name, from start: Int) -> Expr {
        let arguments = arguments()
        let range = rangeFrom(start)
        if expandsMacros, let macro = globalMacro(name, arguments, range) { return macro }
        return make(.call(name, target: nil, arguments: arguments), range, arguments)
    }

    private mutating func arguments() -> [Expr] {
        items(until: .rightParenthesis, allowsTrailingComma: false) { $0.expression() }
    }

    private mutating func list() -> Expr {
        let start = token.range.lowerBound
        advance()
        let elements = items(until: .rightBracket, allowsTrailingComma: true) { parser in
            let isOptional = parser.take(.question)
            return Expr.Element(value: parser.expression(), isOptional: isOptional)
        }
        return make(.list(elements), rangeFrom(start), elements.map(\.value))
    }

    private mutating func map() -> Expr {
        let start = token.range.lowerBound
        advance()
        let entries = items(until: .rightBrace, allowsTrailingComma: true) { parser in
            let isOptional = parser.take(.question)
            let key = parser.expression()
            parser.expect(.colon)
            return Expr.Entry(key: key, value: parser.expression(), isOptional: isOptional)
        }
        return make(.map(entries), rangeFrom(start), entries.flatMap { [$0.key, $0.value] })
    }

    private mutating func message(_ name: String, from start: Int) -> Expr {
        advance()
        _ = items(until: .rightBrace, allowsTrailingComma: true) { parser in
            _ = parser.take(.question)
            _ = parser.selector()
            parser.expect(.colon)
            _ = parser.expression()
        }
        return make(.message(name), rangeFrom(start))
    }

    /// Items separated by commas, and the closing bracket; the opening one has been read.
    private mutating func items<Item>(
        until close: Token.Symbol, allowsTrailingComma: Bool, _ item: (inout Parser) -> Item
    ) -> [Item] {
        var items: [Item] = []
        if take(close) { return items }
        if allowsTrailingComma, isAt(.comma) {
            advance()
            closeBracket(close)
            return items
        }
        while true {
            items.append(item(&self))
            if take(close) { return items }
            guard isAt(.comma) || resume(before: close) else { return items }
            if take(close) { return items }
            expect(.comma)
            if allowsTrailingComma, take(close) { return items }
        }
    }

    private mutating func closeBracket(_ close: Token.Symbol) {
        if take(close) { return }
        if resume(before: close) { _ = take(close) }
    }

    /// Reports the current token and skips to the comma or `close` that belongs to the bracket
    /// being read.
    ///
    /// - Returns: false at another closing bracket or at the end, which are left for an outer
    ///   bracket.
    private mutating func resume(before close: Token.Symbol) -> Bool {
        reportUnexpected("'\(close.rawValue)'")
        var open = 0
        while token.kind != .end {
            switch token.kind {
            case .symbol(close) where open == 0, .symbol(.comma) where open == 0: return true
            case .symbol(.leftParenthesis), .symbol(.leftBracket), .symbol(.leftBrace): open += 1
            case .symbol(.rightParenthesis), .symbol(.rightBracket), .symbol(.rightBrace):
                if open == 0 { return false }
                open -= 1
            default: break
            }
            advance()
        }
        return false
    }
}

extension Expr {
    /// `a.b.c` if the expression is nothing else.
    var qualifiedName: String? {
        switch kind {
        case .identifier(let name, let isRooted): isRooted ? "." + name : name
        case .select(let operand, let name, isOptional: false): operand.qualifiedName.map { "\($0).\(name.text)" }
        default: nil
        }
    }
}
