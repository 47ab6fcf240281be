extension CellCompiler {
    func call(_ node: Node, _ call: Node.Call) -> Operand {
        if needsGenericEvaluator(call) { return .code(generic(node)) }
        let operands = call.arguments.map(operand)
        let slow = GenericCall(call, at: node.range, arguments: operands, costLimit: costLimit)
        switch operands.count {
        case 1: return unary(call, operands[0], slow)
        case 2: return binary(node, call, operands[0], operands[1], slow)
        case 3 where call.name == "substring": return .code(slow.substring(operands[0], operands[1], operands[2]))
        default: return operands.isEmpty ? .code(generic(node)) : .code(genericCall(operands, slow))
        }
    }

    /// What the generic evaluator compiles specially: alternatives that may not be computed,
    /// patterns compiled once.
    private func needsGenericEvaluator(_ call: Node.Call) -> Bool {
        switch call.name {
        case "or": true
        case "orValue": optional(call.arguments[0]) == nil
        case "matches": false
        default: Prepared.contains(call.name)
        }
    }

    private func unary(_ call: Node.Call, _ operand: Operand, _ slow: GenericCall) -> Operand {
        switch call.name {
        case Operator.not: return .test(not(operand, slow))
        case Operator.negate: return .code(slow.negation(operand))
        case "size": return .code(slow.size(operand))
        case "lowerAscii": return .code(slow.changingCase(operand, toLower: true, beyondASCII: false))
        case "upperAscii": return .code(slow.changingCase(operand, toLower: false, beyondASCII: false))
        case "lower": return .code(slow.changingCase(operand, toLower: true, beyondASCII: true))
        case "upper": return .code(slow.changingCase(operand, toLower: false, beyondASCII: true))
        case "hasValue":
            if let test = hasValue(call.arguments[0]) { return .test(test) }
        case "timestamp": return .code(slow.timestamp(operand))
        case "trim": return .code(slow.trim(operand))
        default:
            if let code = slow.conversion(operand) ?? slow.timePart(operand) { return .code(code) }
        }
        let code = operand.code
        return .code(
            CellCode { cells, scratch in
                let mark = scratch.mark
                let cell = code(cells, scratch)
                return cell.kind == .error ? .error : slow(cell, scratch, since: mark)
            })
    }

    private func not(_ operand: Operand, _ slow: GenericCall) -> TestCode {
        if case .test(let test) = operand { return CellLogic.not(test) }
        let code = operand.code
        return TestCode { cells, scratch in
            let cell = code(cells, scratch)
            return cell.kind == .bool ? Truth(!cell.boolValue) : Truth(slow(cell, scratch))
        }
    }

    private func binary(_ node: Node, _ call: Node.Call, _ left: Operand, _ right: Operand, _ slow: GenericCall) -> Operand {
        switch call.name {
        case Operator.equal: return .test(slow.equality(left, right, isNegated: false))
        case Operator.notEqual: return .test(slow.equality(left, right, isNegated: true))
        case Operator.less, Operator.lessOrEqual, Operator.greater, Operator.greaterOrEqual:
            if let test = slow.comparison(left, right) { return .test(test) }
        case Operator.add:
            if let sum = sum(node) { return .code(sum) }
            if let code = slow.arithmetic(left, right, mixed: mixedArithmetic) { return .code(code) }
        case Operator.subtract, Operator.multiply, Operator.divide, Operator.remainder:
            if let code = slow.arithmetic(left, right, mixed: mixedArithmetic) { return .code(code) }
        case Operator.isIn:
            if case .constant(let list) = right, let test = slow.membership(left, list, pool) { return .test(test) }
        case "startsWith", "endsWith", "contains":
            if let test = slow.textTest(left, right) { return .test(test) }
        case "matches":
            if case .constant(let pattern) = right, let test = constantMatches(left, pattern, in: pool, orElse: generic(node)) { return .test(test) }
        case "substring": return .code(slow.substring(left, right, nil))
        case "indexOf": return .code(slow.indexOf(left, right))
        case "format_time":
            if case .constant(let format) = right, let code = slow.formatTime(left, format) { return .code(code) }
        case "orValue":
            if let code = orValue(call.arguments[0], right) { return .code(code) }
        default: break
        }
        return .code(genericCall([left, right], slow))
    }

    /// A sum of three terms or more, or with text among its terms; nil for other sums.
    private func sum(_ node: Node) -> CellCode? {
        let (first, others) = terms(of: node)
        guard others.count > 1 || first.isText || others.contains(where: \.term.isText) else { return nil }
        let operand = operand(first)
        var calls: [(add: GenericCall, term: Operand)] = []
        for (node, call, term) in others {
            let term = self.operand(term)
            calls.append((GenericCall(call, at: node.range, arguments: [operand, term], costLimit: costLimit), term))
        }
        return CellSum.code(operand, calls, mixed: mixedArithmetic)
    }

    /// The terms of a sum: the first, and each of the others with the node that adds it.
    private func terms(of sum: Node) -> (first: Node, others: [(node: Node, call: Node.Call, term: Node)]) {
        var others: [(node: Node, call: Node.Call, term: Node)] = []
        var node = sum
        while case .call(let call) = node.kind, call.name == Operator.add, call.arguments.count == 2 {
            others.append((node, call, call.arguments[1]))
            node = call.arguments[0]
        }
        return (node, others.reversed())
    }

    /// The generic function over arguments that were computed the fast way.
    private func genericCall(_ operands: [Operand], _ slow: GenericCall) -> CellCode {
        let codes = operands.map(\.code)
        return CellCode { cells, scratch in
            let mark = scratch.mark
            var arguments: [Cell] = []
            arguments.reserveCapacity(codes.count)
            for code in codes {
                let cell = code(cells, scratch)
                if cell.kind == .error { return .error }
                arguments.append(cell)
            }
            return slow.call(arguments, scratch, since: mark)
        }
    }
}

extension Node {
    fileprivate var isText: Bool {
        if case .constant(.string) = kind { return true }
        return type == .string
    }
}
