/// Resolves the names of an expression, finds its types, and builds the tree to evaluate.
///
/// Types are gradual: `dyn` is compatible with everything and checked at run time.
struct Checker {
    struct Local {
        let name: String
        let index: Int
        let type: CELType
    }

    let environment: Environment
    let functions: FunctionTable
    var inference = Inference()
    private(set) var diagnostics: [Diagnostic] = []
    /// Names of the record's fields that are read, in order of first use.
    private(set) var fields: [String] = []
    private var fieldIndices: [Name: Int] = [:]
    /// Macro variables in scope, innermost last.
    private(set) var locals: [Local] = []
    private(set) var localCount = 0

    init(_ environment: Environment) {
        self.environment = environment
        let table = environment.mixedArithmetic ? FunctionTable.mixed : FunctionTable.strict
        functions = environment.declarations.isEmpty ? table : FunctionTable(table, adding: environment.declarations)
    }

    /// Reports a type error, unless types are not checked.
    mutating func report(_ message: String, at range: Range<Int>, suggestion: String? = nil) {
        guard environment.checksTypes else { return }
        diagnostics.append(Diagnostic(message, at: range, suggestion: suggestion))
    }

    /// Reports the error, and returns a node that raises it at run time in case types are not
    /// checked.
    mutating func failure(
        _ code: EvaluationError.Code, _ message: String, at range: Range<Int>, suggestion: String? = nil
    ) -> Node {
        report(message, at: range, suggestion: suggestion)
        return Node(kind: .failure(EvaluationError(code, message, at: range)), type: .dyn, range: range)
    }

    func resolved(_ node: Node) -> CELType { inference.resolved(node.type) }

    mutating func index(ofField name: String) -> Int {
        if let index = fieldIndices[Name(name)] { return index }
        fields.append(name)
        fieldIndices[Name(name)] = fields.count - 1
        return fields.count - 1
    }

    /// Adds a variable to the scope; the caller removes it with ``removeLocals(_:)``.
    mutating func addLocal(_ name: String, _ type: CELType) -> Int {
        let index = localCount
        localCount += 1
        locals.append(Local(name: name, index: index, type: type))
        return index
    }

    mutating func removeLocals(_ count: Int) { locals.removeLast(count) }

    func local(_ name: String) -> Local? { locals.last { $0.name.isSame(as: name) } }

    mutating func check(_ expression: Expr) -> Node {
        let range = expression.range
        switch expression.kind {
        case .literal(let value):
            return Node(kind: .constant(value), type: value.type, range: range)
        case .identifier(let name, let isRooted):
            return identifier(name, isRooted: isRooted, range)
        case .select(let operand, let field, let isOptional):
            return select(expression, operand, field, isOptional: isOptional)
        case .presence(let operand, let field):
            return presence(operand, field, range)
        case .index(let operand, let key, let isOptional):
            return index(check(operand), check(key), isOptional: isOptional, range)
        case .call(let name, let target, let arguments):
            return call(name, target, arguments, range)
        case .all(let operands):
            return Node(kind: .all(operands.map { condition($0) }), type: .bool, range: range)
        case .any(let operands):
            return Node(kind: .any(operands.map { condition($0) }), type: .bool, range: range)
        case .conditional(let test, let then, let otherwise):
            return conditional(test, then, otherwise, range)
        case .list(let elements): return list(elements, range)
        case .map(let entries): return map(entries, range)
        case .message(let name):
            return failure(.type, "'\(name){…}': protocol-buffer messages are not supported", at: range)
        case .comprehension(let comprehension): return self.comprehension(comprehension, range)
        case .bind(let name, let value, let body): return bind(name, value, body, range)
        case .optionalMap(let target, let name, let body, let isFlat):
            return optionalMap(target, name, body, isFlat: isFlat, range)
        case .block(let values, let body): return block(values, body, range)
        case .invalid:
            return Node(kind: .failure(EvaluationError(.type, "not an expression", at: range)), type: .dyn, range: range)
        }
    }

    /// An expression that must be a `bool`.
    mutating func condition(_ expression: Expr) -> Node {
        let node = check(expression)
        if !inference.assign(node.type, to: .bool) {
            report("expected a bool, found \(resolved(node))", at: node.range)
        }
        return node
    }

    private mutating func conditional(_ test: Expr, _ then: Expr, _ otherwise: Expr, _ range: Range<Int>) -> Node {
        let test = condition(test)
        let then = check(then)
        let otherwise = check(otherwise)
        let type = inference.fresh()
        var result = type
        if !inference.assign([then.type, otherwise.type], to: [type, type]) {
            result = .dyn
            if !(environment.mixedArithmetic && resolved(then).isNumeric && resolved(otherwise).isNumeric) {
                report(
                    "both results of '? :' must have the same type, found \(resolved(then)) and \(resolved(otherwise))",
                    at: otherwise.range)
            }
        }
        return Node(kind: .conditional(test, then: then, otherwise: otherwise), type: result, range: range)
    }
}
