/// Parses an expression by recursive descent.
///
/// After an error it continues at the next comma or closing bracket, so that all errors of a text
/// are found together.
struct Parser {
    /// The maximum nesting of brackets, calls and operators. This many levels need up to 768 KiB of
    /// stack, 2 MiB in a debug build.
    static let maximumDepth = 250

    private let tokens: [Token]
    private var at = 0
    private var nesting = 0
    private var lastReported = -1
    let expandsMacros: Bool
    private(set) var diagnostics: [Diagnostic]

    private init(_ text: String, expandsMacros: Bool) {
        (tokens, diagnostics) = Lexer.tokens(of: text)
        self.expandsMacros = expandsMacros
    }

    static func parse(_ text: String, expandsMacros: Bool = true) -> (expression: Expr, diagnostics: [Diagnostic]) {
        var parser = Parser(text, expandsMacros: expandsMacros)
        let expression = parser.expression()
        if parser.token.kind != .end { parser.reportUnexpected("an operator") }
        return (expression, parser.diagnostics)
    }

    var token: Token { tokens[at] }

    mutating func advance() {
        if at < tokens.count - 1 { at += 1 }
    }

    func isAt(_ symbol: Token.Symbol) -> Bool { token.kind == .symbol(symbol) }

    mutating func take(_ symbol: Token.Symbol) -> Bool {
        guard isAt(symbol) else { return false }
        advance()
        return true
    }

    @discardableResult
    mutating func expect(_ symbol: Token.Symbol) -> Bool {
        if take(symbol) { return true }
        reportUnexpected("'\(symbol.rawValue)'")
        return false
    }

    mutating func report(_ message: String, at range: Range<Int>) {
        diagnostics.append(Diagnostic(message, at: range))
    }

    /// At most once per token, and not for one that the lexer has reported.
    mutating func reportUnexpected(_ expected: String) {
        guard lastReported != at else { return }
        lastReported = at
        guard token.kind != .invalid else { return }
        report("expected \(expected), found \(token.text)", at: token.range)
    }

    func rangeFrom(_ start: Int) -> Range<Int> {
        start..<max(start, at > 0 ? tokens[at - 1].range.upperBound : start)
    }

    mutating func make(_ kind: Expr.Kind, _ range: Range<Int>, _ children: [Expr] = []) -> Expr {
        let depth = 1 + (children.map(\.depth).max() ?? 0)
        guard depth <= Parser.maximumDepth else { return tooDeep(range) }
        return Expr(kind: kind, range: range, depth: depth)
    }

    private mutating func tooDeep(_ range: Range<Int>) -> Expr {
        let message = "the expression is nested more than \(Parser.maximumDepth) levels deep"
        if !diagnostics.contains(where: { $0.message == message }) { report(message, at: range) }
        return Expr(kind: .invalid, range: range, depth: 1)
    }

    /// `Expr = ConditionalOr ["?" ConditionalOr ":" Expr]`
    mutating func expression() -> Expr {
        nesting += 1
        defer { nesting -= 1 }
        guard nesting <= Parser.maximumDepth else {
            let invalid = tooDeep(token.range)
            // Nothing after this can be understood any more.
            at = tokens.count - 1
            lastReported = at
            return invalid
        }
        let condition = disjunction()
        guard take(.question) else { return condition }
        let then = disjunction()
        expect(.colon)
        let otherwise = expression()
        return make(
            .conditional(condition, then: then, otherwise: otherwise),
            condition.range.lowerBound..<otherwise.range.upperBound, [condition, then, otherwise])
    }

    private mutating func disjunction() -> Expr {
        let first = conjunction()
        guard isAt(.or) else { return first }
        var operands = [first]
        while take(.or) { operands.append(conjunction()) }
        return make(.any(operands), spanning(operands), operands)
    }

    private mutating func conjunction() -> Expr {
        let first = binary(0)
        guard isAt(.and) else { return first }
        var operands = [first]
        while take(.and) { operands.append(binary(0)) }
        return make(.all(operands), spanning(operands), operands)
    }

    private func spanning(_ operands: [Expr]) -> Range<Int> {
        let lower = operands.map(\.range.lowerBound).min() ?? 0
        return lower..<max(lower, operands.map(\.range.upperBound).max() ?? 0)
    }

    /// Relations, sums and products, by level.
    private mutating func binary(_ level: Int) -> Expr {
        guard level < Parser.levels.count else { return unary() }
        var left = binary(level + 1)
        while let name = operatorName(level) {
            let nameRange = token.range
            advance()
            let right = binary(level + 1)
            left = make(
                .call(Expr.Name(text: name, range: nameRange), target: nil, arguments: [left, right]), spanning([left, right]),
                [left, right])
        }
        return left
    }

    private func operatorName(_ level: Int) -> String? {
        switch token.kind {
        case .symbol(let symbol): Parser.levels[level][symbol]
        case .identifier("in"): level == 0 ? Operator.isIn : nil
        default: nil
        }
    }

    private static let levels: [[Token.Symbol: String]] = [
        [
            .equal: Operator.equal, .notEqual: Operator.notEqual, .less: Operator.less, .lessOrEqual: Operator.lessOrEqual,
            .greater: Operator.greater, .greaterOrEqual: Operator.greaterOrEqual,
        ],
        [.plus: Operator.add, .minus: Operator.subtract],
        [.times: Operator.multiply, .divide: Operator.divide, .percent: Operator.remainder],
    ]

    private mutating func unary() -> Expr {
        var prefixes: [(name: String, range: Range<Int>)] = []
        while isAt(.not) || (isAt(.minus) && !isSignOfNumber) {
            prefixes.append((isAt(.not) ? Operator.not : Operator.negate, token.range))
            advance()
        }
        var operand = member()
        for prefix in prefixes.reversed() {
            operand = make(
                .call(Expr.Name(text: prefix.name, range: prefix.range), target: nil, arguments: [operand]),
                prefix.range.lowerBound..<max(prefix.range.upperBound, operand.range.upperBound), [operand])
        }
        return operand
    }

    /// Whether a minus belongs to the number after it: the smallest `int` has no positive
    /// counterpart.
    var isSignOfNumber: Bool {
        guard isAt(.minus), at + 1 < tokens.count else { return false }
        switch tokens[at + 1].kind {
        case .int, .double: return true
        default: return false
        }
    }
}
