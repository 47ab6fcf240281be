extension Checker {
    mutating func list(_ elements: [Expr.Element], _ range: Range<Int>) -> Node {
        var type: CELType?
        let nodes = elements.map { element in
            let node = check(element.value)
            join(element.isOptional ? unwrapped(node) : node.type, into: &type)
            return Node.Element(value: node, isOptional: element.isOptional)
        }
        return Node(kind: .list(nodes), type: .list(type ?? inference.fresh()), range: range)
    }

    mutating func map(_ entries: [Expr.Entry], _ range: Range<Int>) -> Node {
        var keyType: CELType?
        var valueType: CELType?
        let nodes = entries.map { entry in
            let key = check(entry.key)
            let value = check(entry.value)
            reportUnusableKey(key)
            join(key.type, into: &keyType)
            join(entry.isOptional ? unwrapped(value) : value.type, into: &valueType)
            return Node.Entry(key: key, value: value, isOptional: entry.isOptional)
        }
        let type = CELType.map(keyType ?? inference.fresh(), valueType ?? inference.fresh())
        return Node(kind: .map(nodes), type: type, range: range)
    }

    private mutating func reportUnusableKey(_ key: Node) {
        switch resolved(key) {
        case .dyn, .bool, .int, .uint, .string, .variable: break
        case let type: report("a map key must be a bool, int, uint or string, found \(type)", at: key.range)
        }
    }

    private mutating func join(_ type: CELType, into joined: inout CELType?) {
        guard let previous = joined else {
            joined = type
            return
        }
        joined = inference.join(previous, type) ?? .dyn
    }

    /// The type inside an optional that is written `?value`.
    private mutating func unwrapped(_ node: Node) -> CELType {
        let type = resolved(node)
        if let wrapped = type.wrapped { return wrapped }
        if type != .dyn { report("'?' expects an optional value, found \(type)", at: node.range) }
        return .dyn
    }

    mutating func comprehension(_ comprehension: Expr.Comprehension, _ range: Range<Int>) -> Node {
        let source = check(comprehension.range)
        let types = visitedTypes(source, comprehension)
        let first = addLocal(comprehension.first, types.first)
        let second = comprehension.second.map { addLocal($0, types.second) }
        let filter = comprehension.filter.map { condition($0) }
        let isCondition = [.all, .exists, .existsOne].contains(comprehension.verb)
        let body = isCondition ? condition(comprehension.body) : check(comprehension.body)
        removeLocals(second == nil ? 1 : 2)
        let node = Node.Comprehension(
            verb: comprehension.verb, range: source, first: first, second: second, filter: filter, body: body)
        return Node(kind: .comprehension(node), type: resultType(comprehension, types.first, body), range: range)
    }

    private mutating func resultType(_ comprehension: Expr.Comprehension, _ key: CELType, _ body: Node) -> CELType {
        switch comprehension.verb {
        case .all, .exists, .existsOne: return .bool
        case .list: return .list(body.type)
        case .transformMap: return .map(key, body.type)
        case .transformMapEntry:
            if case .map = resolved(body) { return body.type }
            if resolved(body) != .dyn { report("transformMapEntry expects a map, found \(resolved(body))", at: body.range) }
            return .map(.dyn, .dyn)
        case .sortBy: return .list(key)
        }
    }

    /// The types of the variables of a macro.
    private mutating func visitedTypes(
        _ source: Node, _ comprehension: Expr.Comprehension
    ) -> (first: CELType, second: CELType) {
        let type = resolved(source)
        switch type {
        case .list(let element):
            return comprehension.second == nil ? (element, .dyn) : (.int, element)
        case .map(let key, let value) where comprehension.verb != .sortBy:
            return (key, value)
        case .variable: _ = inference.assign(.dyn, to: type)
        case .dyn: break
        default: report("expected a list\(comprehension.verb == .sortBy ? "" : " or a map"), found \(type)", at: source.range)
        }
        return (.dyn, .dyn)
    }

    mutating func bind(_ name: String, _ value: Expr, _ body: Expr, _ range: Range<Int>) -> Node {
        let value = check(value)
        let index = addLocal(name, value.type)
        let body = check(body)
        removeLocals(1)
        return Node(kind: .bind(index, value, body: body), type: body.type, range: range)
    }

    mutating func block(_ values: [Expr], _ body: Expr, _ range: Range<Int>) -> Node {
        var bound: [(index: Int, node: Node)] = []
        for (number, value) in values.enumerated() {
            let node = check(value)
            bound.append((addLocal("@index:\(number)", node.type), node))
        }
        let body = check(body)
        removeLocals(bound.count)
        return bound.reversed().reduce(body) { body, value in
            Node(kind: .bind(value.index, value.node, body: body), type: body.type, range: range)
        }
    }

    mutating func optionalMap(
        _ target: Expr, _ name: String, _ body: Expr, isFlat: Bool, _ range: Range<Int>
    ) -> Node {
        let target = check(target)
        let type = resolved(target)
        if type.wrapped == nil, type != .dyn {
            report("expected an optional value, found \(type)", at: target.range)
        }
        let index = addLocal(name, type.wrapped ?? .dyn)
        let body = check(body)
        removeLocals(1)
        if isFlat, resolved(body).wrapped == nil, resolved(body) != .dyn {
            report("optFlatMap expects an optional value, found \(resolved(body))", at: body.range)
        }
        let kind = Node.Kind.optionalMap(target, index, body: body, isFlat: isFlat)
        return Node(kind: kind, type: isFlat ? body.type : .optional(body.type), range: range)
    }
}
