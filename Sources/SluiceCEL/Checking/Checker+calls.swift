extension Checker {
    mutating func call(_ name: Expr.Name, _ target: Expr?, _ arguments: [Expr], _ range: Range<Int>) -> Node {
        if let target, let qualifier = target.qualifiedName, local(qualifier) == nil {
            let qualified = candidates(qualifier + "." + name.text).first { functions.contains($0) }
            if let qualified { return call(qualified, name.range, isMember: false, arguments.map { check($0) }, range) }
        }
        if let target {
            let unknownNamespace = isUnknownNamespace(target, name)
            if let unknownNamespace { return unknownNamespace }
            guard functions.contains(name.text) else { return unknownFunction(name, target, arguments, range) }
            return call(name.text, name.range, isMember: true, ([target] + arguments).map { check($0) }, range)
        }
        guard let full = candidates(name.text).first(where: { functions.contains($0) }) else {
            return unknownFunction(name, nil, arguments, range)
        }
        return call(full, name.range, isMember: false, arguments.map { check($0) }, range)
    }

    /// `maths.floor(x)`: with undeclared fields, the namespace would be taken for one.
    private mutating func isUnknownNamespace(_ target: Expr, _ name: Expr.Name) -> Node? {
        guard !functions.contains(name.text), environment.checksTypes, let qualifier = target.qualifiedName else { return nil }
        let full = "\(qualifier).\(name.text)"
        guard let near = Spelling.nearest(to: full, among: functions.names.filter { $0.contains(".") }) else { return nil }
        return failure(.type, "unknown function '\(full)'", at: target.range.lowerBound..<name.range.upperBound, suggestion: near)
    }

    /// The arguments are still checked: their errors are reported along with this one.
    private mutating func unknownFunction(_ name: Expr.Name, _ target: Expr?, _ arguments: [Expr], _ range: Range<Int>) -> Node {
        for argument in (target.map { [$0] } ?? []) + arguments { _ = check(argument) }
        let macros = ["has", "all", "exists", "exists_one", "map", "filter", "transformList", "transformMap", "sortBy", "optMap"]
        if macros.contains(name.text), environment.expandsMacros {
            return failure(.type, "'\(name.text)' does not take \(arguments.count) argument\(arguments.count == 1 ? "" : "s")", at: name.range)
        }
        let suggestion = Spelling.nearest(to: name.text, among: Array(functions.names) + macros)
        return failure(.type, "unknown function '\(name.text)'", at: name.range, suggestion: suggestion)
    }

    private mutating func call(
        _ name: String, _ nameRange: Range<Int>, isMember: Bool, _ arguments: [Node], _ range: Range<Int>
    ) -> Node {
        let implementation = functions.implementation(of: name, isMember: isMember, arity: arguments.count)
        let overloads = functions.overloads(of: name)
        let type = resultType(overloads.filter { $0.isMember == isMember }, arguments)
        if type == nil { reportNoOverload(name, nameRange, isMember: isMember, overloads, arguments) }
        if case .none = implementation {
            let error = EvaluationError(.type, "'\(name.trimmingOperator)' cannot be applied to these values", at: range)
            return Node(kind: .failure(error), type: type ?? .dyn, range: range)
        }
        let call = Node.Call(name: name, arguments: arguments, implementation: implementation)
        return Node(kind: .call(call), type: type ?? .dyn, range: range)
    }

    /// The common result of all overloads that fit the arguments: `dyn` if they differ; nil if none
    /// fits.
    private mutating func resultType(_ overloads: [Overload], _ arguments: [Node]) -> CELType? {
        var result: CELType?
        for overload in overloads where overload.parameters.count == arguments.count {
            var variables: [String: CELType] = [:]
            let parameters = overload.parameters.map { $0.instantiated(&inference, &variables) }
            let overloadResult = overload.result.instantiated(&inference, &variables)
            guard inference.assign(arguments.map(\.type), to: parameters) else { continue }
            let type = inference.resolved(overloadResult)
            if let known = result, known != .dyn, known != type {
                result = .dyn
            } else if result == nil {
                result = type
            }
        }
        return result
    }

    private mutating func reportNoOverload(
        _ name: String, _ nameRange: Range<Int>, isMember: Bool, _ overloads: [Overload], _ arguments: [Node]
    ) {
        let types = arguments.map { resolved($0).shown }
        let shown = name.trimmingOperator
        if Operator.isOperator(name), types.count == 2 {
            report("'\(shown)' cannot be applied to \(types[0]) and \(types[1])", at: nameRange)
            return
        }
        let found = isMember ? "\(types[0]).\(name)(\(types.dropFirst().joined(separator: ", ")))" : "\(shown)(\(types.joined(separator: ", ")))"
        let wanted = overloads.prefix(4).map { $0.description(as: name) }.joined(separator: " or ")
        report("no function \(found); expected \(wanted)", at: nameRange)
    }
}

extension Overload {
    fileprivate func description(as name: String) -> String {
        let types = parameters.map(\.shown)
        guard isMember else { return "\(name.trimmingOperator)(\(types.joined(separator: ", ")))" }
        return "\(types[0]).\(name)(\(types.dropFirst().joined(separator: ", ")))"
    }
}

extension CELType {
    /// As shown to users: with the names of conversions, and every type parameter looks the same.
    var shown: String {
        switch self {
        case .parameter: "any"
        case .list(.parameter): "list"
        case .map(.parameter, .parameter): "map"
        case .opaque(let name, let parameters) where !parameters.isEmpty: "\(name)(\(parameters.map(\.shown).joined(separator: ", ")))"
        default: description
        }
    }
}

extension String {
    /// `+` for `_+_`.
    var trimmingOperator: String {
        guard Operator.isOperator(self) else { return self }
        return filter { $0 != "_" }
    }
}
