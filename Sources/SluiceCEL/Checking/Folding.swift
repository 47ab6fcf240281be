/// Puts the inferred types into a tree, and computes what does not depend on a record.
///
/// What would fail is left to fail at run time: evaluation may never get there.
struct Folding {
    let inference: Inference
    /// Whether a constant that can only fail is reported; off for CEL's own rules.
    let reportsFailures: Bool
    private(set) var diagnostics: [Diagnostic] = []

    /// Anything more is not worth keeping as a constant.
    private static let costLimit = 10_000
    private static let largestText = 1_024
    /// Functions whose constant arguments are expected to be valid: one that they reject is an
    /// error of the expression.
    private static let readers: Set<String> = ["timestamp", "duration", "ip", "cidr", "int", "uint", "double", "bool", "parse_time"]

    init(_ inference: Inference, reportsFailures: Bool) {
        self.inference = inference
        self.reportsFailures = reportsFailures
    }

    mutating func fold(_ node: Node) -> Node {
        let type = inference.resolved(node.type, undecided: .dyn)
        let kind = foldedKind(node, type)
        return Node(kind: kind, type: type, range: node.range)
    }

    private mutating func foldedKind(_ node: Node, _ type: CELType) -> Node.Kind {
        switch node.kind {
        case .constant, .field, .fieldOr, .fieldPresence, .optionalField, .record, .source, .local, .failure:
            return node.kind
        case .select(let operand, let field):
            let operand = fold(operand)
            return constant(operand) { value, meter throws(EvaluationError) in
                try Selection.select(value, field)
            } ?? .select(operand, field)
        case .optionalSelect(let operand, let field): return .optionalSelect(fold(operand), field)
        case .presence(let operand, let field): return .presence(fold(operand), field)
        case .index(let operand, let key):
            let (operand, key) = (fold(operand), fold(key))
            guard case .constant(let keyValue) = key.kind else { return .index(operand, key) }
            return constant(operand) { value, meter throws(EvaluationError) in
                try Selection.index(value, keyValue)
            } ?? .index(operand, key)
        case .optionalIndex(let operand, let key): return .optionalIndex(fold(operand), fold(key))
        case .call(let call): return folded(call, node.range)
        case .all(let operands): return logical(operands, decides: false)
        case .any(let operands): return logical(operands, decides: true)
        case .conditional(let test, let then, let otherwise):
            let (test, then, otherwise) = (fold(test), fold(then), fold(otherwise))
            if case .constant(.bool(let chosen)) = test.kind { return chosen ? then.kind : otherwise.kind }
            return .conditional(test, then: then, otherwise: otherwise)
        case .list(let elements): return list(elements)
        case .map(let entries): return map(entries)
        case .comprehension(let comprehension): return .comprehension(folded(comprehension))
        case .bind(let index, let value, let body): return .bind(index, fold(value), body: fold(body))
        case .optionalMap(let target, let index, let body, let isFlat):
            return .optionalMap(fold(target), index, body: fold(body), isFlat: isFlat)
        }
    }

    private func constant(
        _ operand: Node, _ compute: (Value, inout Meter) throws(EvaluationError) -> Value
    ) -> Node.Kind? {
        guard case .constant(let value) = operand.kind else { return nil }
        var meter = Meter(limit: Folding.costLimit)
        do {
            return .constant(try compute(value, &meter))
        } catch {
            return nil
        }
    }

    private mutating func folded(_ call: Node.Call, _ range: Range<Int>) -> Node.Kind {
        let arguments = call.arguments.map { fold($0) }
        let folded = Node.Kind.call(Node.Call(name: call.name, arguments: arguments, implementation: call.implementation))
        reportBadPattern(call.name, arguments)
        let constants = arguments.compactMap(\.constantValue)
        let values = call.keepsDigits ? constants : constants.map(\.computed)
        guard values.count == arguments.count, call.name != "error" else { return folded }
        var meter = Meter(limit: Folding.costLimit)
        do {
            let value = try call.implementation.apply(values, &meter)
            return value.isSmall(Folding.largestText) ? .constant(value) : folded
        } catch {
            if reportsFailures, Folding.readers.contains(call.name) {
                diagnostics.append(Diagnostic(error.message, at: range))
            }
            return folded
        }
    }

    private mutating func reportBadPattern(_ name: String, _ arguments: [Node]) {
        guard arguments.count > 1, Prepared.contains(name), case .constant(.string(let text)) = arguments[1].kind else { return }
        do throws(EvaluationError) {
            _ = try Prepared.function(name, text)
        } catch {
            diagnostics.append(Diagnostic(error.message, at: arguments[1].range))
        }
    }

    private mutating func logical(_ operands: [Node], decides: Bool) -> Node.Kind {
        let operands = operands.map { fold($0) }
        let isDecided = operands.contains { operand in
            if case .constant(.bool(decides)) = operand.kind { return true }
            return false
        }
        if isDecided { return .constant(.bool(decides)) }
        return decides ? .any(operands) : .all(operands)
    }

    private mutating func list(_ elements: [Node.Element]) -> Node.Kind {
        let elements = elements.map { Node.Element(value: fold($0.value), isOptional: $0.isOptional) }
        let values = elements.compactMap { $0.isOptional ? nil : $0.value.constantValue }
        return values.count == elements.count ? .constant(.list(values)) : .list(elements)
    }

    private mutating func map(_ entries: [Node.Entry]) -> Node.Kind {
        let entries = entries.map { Node.Entry(key: fold($0.key), value: fold($0.value), isOptional: $0.isOptional) }
        var map = ValueMap()
        for entry in entries {
            guard !entry.isOptional, let key = entry.key.constantValue, let value = entry.value.constantValue else {
                return .map(entries)
            }
            do {
                try map.insert(key, value)
            } catch {
                return .map(entries)
            }
        }
        return .constant(.map(map))
    }

    private mutating func folded(_ comprehension: Node.Comprehension) -> Node.Comprehension {
        Node.Comprehension(
            verb: comprehension.verb, range: fold(comprehension.range), first: comprehension.first, second: comprehension.second,
            filter: comprehension.filter.map { fold($0) }, body: fold(comprehension.body))
    }
}

extension Node {
    var constantValue: Value? {
        if case .constant(let value) = kind { return value }
        return nil
    }
}

extension Value {
    fileprivate func isSmall(_ limit: Int) -> Bool {
        switch self {
        case .string(let text): text.utf8.count <= limit
        case .bytes(let bytes): bytes.count <= limit
        case .list(let values): values.count <= limit
        case .map(let map): map.count <= limit
        default: true
        }
    }
}
