/// An expression that has been parsed, checked and compiled, and can be evaluated any number of
/// times by any number of threads.
public struct Program: Sendable {
    public let text: String
    public let root: Node
    /// The record's fields that the expression may read; ``Node`` refers to them by index.
    public let fields: [String]
    /// The number of macro variables.
    let localCount: Int
    let costLimit: Int
    private let body: Evaluator.Body

    /// - Throws: all problems found in the expression.
    public init(_ text: String, in environment: Environment = Environment()) throws(Diagnostics) {
        let (expression, syntaxErrors) = Parser.parse(text, expandsMacros: environment.expandsMacros)
        guard syntaxErrors.isEmpty else { throw Diagnostics(syntaxErrors) }
        var checker = Checker(environment)
        let checked = checker.check(expression)
        var folding = Folding(checker.inference, reportsFailures: environment.hasRecord)
        let root = folding.fold(checked)
        let errors = checker.diagnostics + folding.diagnostics
        guard errors.isEmpty else { throw Diagnostics(errors) }
        self.text = text
        self.root = root
        fields = checker.fields
        localCount = checker.localCount
        costLimit = environment.costLimit
        var evaluator = Evaluator(fields: fields)
        body = evaluator.compile(root)
    }

    /// The type of the result, as far as it is known before evaluation.
    public var type: CELType { root.type }

    /// The result for one record.
    public func evaluate(_ lookup: some FieldLookup) -> Result<Value, EvaluationError> {
        evaluate(body, lookup)
    }

    /// One part of ``root``, prepared for evaluation on its own. The part must not name variables
    /// of macros around it.
    public func part(_ node: Node) -> Part {
        var evaluator = Evaluator(fields: fields)
        return Part(program: self, body: evaluator.compile(node))
    }

    public struct Part: Sendable {
        fileprivate let program: Program
        fileprivate let body: Evaluator.Body

        public func evaluate(_ lookup: some FieldLookup) -> Result<Value, EvaluationError> {
            program.evaluate(body, lookup)
        }
    }

    private func evaluate(_ body: Evaluator.Body, _ lookup: some FieldLookup) -> Result<Value, EvaluationError> {
        var frame = Frame(locals: [Local](repeating: .pending, count: localCount), meter: Meter(limit: costLimit), lookup: lookup)
        do {
            let value = try body(&frame)
            // A result that takes little memory may be huge when written out, if its parts are
            // shared.
            try value.chargeAll(&frame.meter)
            return .success(value)
        } catch {
            return .failure(error)
        }
    }
}
