/// Turns a tree into closures over a frame.
struct Evaluator {
    typealias Body = @Sendable (inout Frame) throws(EvaluationError) -> Value

    private let fields: [String]
    /// What the variables of `cel.bind` are bound to, by index.
    private var bound: [Int: Body] = [:]

    /// Whether the node being compiled is evaluated for every element of a list or a map.
    private var isRepeated = false

    init(fields: [String]) {
        self.fields = fields
    }

    /// Compiles a node that is evaluated for every element of a list or a map.
    mutating func compileRepeated(_ node: Node) -> Body {
        let before = isRepeated
        isRepeated = true
        defer { isRepeated = before }
        return compile(node)
    }

    mutating func compile(_ node: Node) -> Body {
        let range = node.range
        switch node.kind {
        case .constant(let value): return { _ in value }
        case .failure(let error): return { _ throws(EvaluationError) in throw error }
        case .field, .fieldOr, .fieldPresence, .optionalField, .record, .source: return isRepeated ? readShared(node.kind, range) : read(node.kind, range)
        case .local(let index): return local(index)
        case .select(let operand, let field):
            return unary(operand, range) { value throws(EvaluationError) in try Selection.select(value, field) }
        case .optionalSelect(let operand, let field):
            return unary(operand, range) { value throws(EvaluationError) in try Selection.optionalSelect(value, field) }
        case .presence(let operand, let field):
            return unary(operand, range) { value throws(EvaluationError) in .bool(try Selection.has(value, field)) }
        case .index(let operand, let key):
            return binary(operand, key, range) { value, key throws(EvaluationError) in try Selection.index(value, key) }
        case .optionalIndex(let operand, let key):
            return binary(operand, key, range) { value, key throws(EvaluationError) in try Selection.optionalIndex(value, key) }
        case .call(let call): return self.call(call, range)
        case .all(let operands): return logical(operands, decides: false)
        case .any(let operands): return logical(operands, decides: true)
        case .conditional(let test, let then, let otherwise): return conditional(test, then, otherwise)
        case .list(let elements): return list(elements)
        case .map(let entries): return map(entries)
        case .comprehension(let comprehension): return self.comprehension(comprehension)
        case .bind(let index, let value, let body):
            bound[index] = compile(value)
            let body = compile(body)
            return { frame throws(EvaluationError) in
                frame.locals[index] = .pending
                return try body(&frame)
            }
        case .optionalMap(let target, let index, let body, let isFlat):
            return optionalMap(target, index, body, isFlat: isFlat)
        }
    }

    private func read(_ kind: Node.Kind, _ range: Range<Int>) -> Body {
        switch kind {
        case .field(let index):
            let missing = EvaluationError.noSuchField(fields[index]).located(at: range)
            return { frame throws(EvaluationError) in
                guard let value = try frame.lookup.field(index) else { throw missing }
                return value
            }
        case .fieldOr(let index, let fallback):
            return { frame throws(EvaluationError) in try frame.lookup.field(index) ?? fallback }
        case .fieldPresence(let index):
            return { frame throws(EvaluationError) in .bool(try frame.lookup.field(index) != nil) }
        case .optionalField(let index):
            return { frame throws(EvaluationError) in .optional(try frame.lookup.field(index)) }
        case .record:
            return { frame throws(EvaluationError) in try frame.lookup.record() }
        default:
            return { frame in frame.lookup.source() }
        }
    }

    private func readShared(_ kind: Node.Kind, _ range: Range<Int>) -> Body {
        switch kind {
        case .field(let index):
            let missing = EvaluationError.noSuchField(fields[index]).located(at: range)
            return { frame throws(EvaluationError) in
                guard let value = try frame.shared(index) else { throw missing }
                return value
            }
        case .fieldOr(let index, let fallback):
            return { frame throws(EvaluationError) in try frame.shared(index) ?? fallback }
        case .optionalField(let index):
            return { frame throws(EvaluationError) in .optional(try frame.shared(index)) }
        case .record:
            return { frame throws(EvaluationError) in try frame.sharedRecord() }
        default: return read(kind, range)
        }
    }

    private func local(_ index: Int) -> Body {
        let initial = bound[index]
        return { frame throws(EvaluationError) in
            switch frame.locals[index] {
            case .value(let value): return value
            case .failed(let error): throw error
            case .pending:
                guard let initial else { throw EvaluationError(.type, "a variable has no value") }
                do throws(EvaluationError) {
                    let value = try initial(&frame)
                    frame.locals[index] = .value(value)
                    return value
                } catch {
                    frame.locals[index] = .failed(error)
                    throw error
                }
            }
        }
    }

    private mutating func unary(
        _ operand: Node, _ range: Range<Int>, _ apply: @escaping @Sendable (Value) throws(EvaluationError) -> Value
    ) -> Body {
        let operand = compile(operand)
        return { frame throws(EvaluationError) in
            let value = try operand(&frame)
            do throws(EvaluationError) {
                return try apply(value)
            } catch {
                throw error.located(at: range)
            }
        }
    }

    private mutating func binary(
        _ left: Node, _ right: Node, _ range: Range<Int>,
        _ apply: @escaping @Sendable (Value, Value) throws(EvaluationError) -> Value
    ) -> Body {
        let left = compile(left)
        let right = compile(right)
        return { frame throws(EvaluationError) in
            let leftValue = try left(&frame)
            let rightValue = try right(&frame)
            do throws(EvaluationError) {
                return try apply(leftValue, rightValue)
            } catch {
                throw error.located(at: range)
            }
        }
    }

    private mutating func conditional(_ test: Node, _ then: Node, _ otherwise: Node) -> Body {
        let range = test.range
        let test = compile(test)
        let then = compile(then)
        let otherwise = compile(otherwise)
        return { frame throws(EvaluationError) in
            let value = try test(&frame)
            guard case .bool(let chosen) = value else {
                throw EvaluationError.noOverload("_?_:_", value).located(at: range)
            }
            return try chosen ? then(&frame) : otherwise(&frame)
        }
    }

    private mutating func logical(_ operands: [Node], decides: Bool) -> Body {
        let ranges = operands.map(\.range)
        let bodies = operands.map { compile($0) }
        let name = decides ? "_||_" : "_&&_"
        return { frame throws(EvaluationError) in
            var failure: EvaluationError?
            for (index, body) in bodies.enumerated() {
                do throws(EvaluationError) {
                    let value = try body(&frame)
                    guard case .bool(let result) = value else {
                        throw EvaluationError.noOverload(name, value).located(at: ranges[index])
                    }
                    if result == decides { return .bool(decides) }
                } catch {
                    guard error.code != .costLimit else { throw error }
                    failure = failure ?? error
                }
            }
            if let failure { throw failure }
            return .bool(!decides)
        }
    }

    private mutating func optionalMap(_ target: Node, _ index: Int, _ body: Node, isFlat: Bool) -> Body {
        let (targetRange, bodyRange) = (target.range, body.range)
        let target = compile(target)
        let body = compile(body)
        return { frame throws(EvaluationError) in
            let value = try target(&frame)
            guard case .optional(let wrapped) = value else {
                throw EvaluationError.noOverload(isFlat ? "optFlatMap" : "optMap", value).located(at: targetRange)
            }
            guard let wrapped else { return value }
            frame.locals[index] = .value(wrapped)
            let result = try body(&frame)
            guard isFlat else { return .optional(result) }
            guard case .optional = result else {
                throw EvaluationError.noOverload("optFlatMap", result).located(at: bodyRange)
            }
            return result
        }
    }
}
