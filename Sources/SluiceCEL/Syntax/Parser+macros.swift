extension Parser {
    mutating func globalMacro(_ name: Expr.Name, _ arguments: [Expr], _ range: Range<Int>) -> Expr? {
        guard name.text == "has", arguments.count == 1 else { return nil }
        guard case .select(let operand, let field, isOptional: false) = arguments[0].kind else {
            report("has() expects a field, such as has(record.name)", at: arguments[0].range)
            return make(.invalid, range)
        }
        return make(.presence(operand, field), range, [operand])
    }

    mutating func memberMacro(_ name: Expr.Name, of target: Expr, _ arguments: [Expr], _ range: Range<Int>) -> Expr? {
        if case .identifier(let namespace, _) = target.kind,
            let macro = namespacedMacro("\(namespace).\(name.text)", name.range, arguments, range)
        {
            return macro
        }
        switch (name.text, arguments.count) {
        case ("optMap", 2), ("optFlatMap", 2):
            guard let variable = variable(arguments[0], of: name.text) else { return make(.invalid, range) }
            let isFlat = name.text == "optFlatMap"
            return make(
                .optionalMap(target, variable, body: arguments[1], isFlat: isFlat), range, [target, arguments[1]])
        default:
            return comprehension(name.text, target, arguments, range)
        }
    }

    private mutating func comprehension(_ name: String, _ target: Expr, _ arguments: [Expr], _ range: Range<Int>) -> Expr? {
        guard let shape = ComprehensionShape(name, arguments: arguments.count) else { return nil }
        guard let first = variable(arguments[0], of: name) else { return make(.invalid, range) }
        var second: String?
        if shape.variables == 2 {
            guard let variable = variable(arguments[1], of: name) else { return make(.invalid, range) }
            if variable == first {
                report("'\(name)' expects two distinct names", at: arguments[1].range)
                return make(.invalid, range)
            }
            second = variable
        }
        let rest = arguments.dropFirst(shape.variables)
        let filter = shape.hasFilter ? rest.first : nil
        // filter(x, p) returns the element itself.
        let body = shape.hasBody ? arguments[arguments.count - 1] : make(.identifier(first, isRooted: false), arguments[0].range)
        let comprehension = Expr.Comprehension(
            verb: shape.verb, range: target, first: first, second: second, filter: filter, body: body)
        return make(.comprehension(comprehension), range, [target, body] + (filter.map { [$0] } ?? []))
    }

    private mutating func namespacedMacro(
        _ name: String, _ nameRange: Range<Int>, _ arguments: [Expr], _ range: Range<Int>
    ) -> Expr? {
        switch (name, arguments.count) {
        case ("cel.bind", 3):
            guard let variable = variable(arguments[0], of: name) else { return make(.invalid, range) }
            return make(.bind(variable, arguments[1], body: arguments[2]), range, [arguments[1], arguments[2]])
        case ("cel.block", 2):
            guard case .list(let elements) = arguments[0].kind, !elements.contains(where: \.isOptional) else {
                report("cel.block expects a list of expressions", at: arguments[0].range)
                return make(.invalid, range)
            }
            return make(.block(elements.map(\.value), body: arguments[1]), range, arguments)
        case ("cel.index", 1):
            return numberedVariable("@index", arguments, range)
        case ("cel.iterVar", 2):
            return numberedVariable("@it", arguments, range)
        case ("cel.accuVar", 2):
            return numberedVariable("@ac", arguments, range)
        case ("math.greatest", 1...), ("math.least", 1...):
            return extreme(name, nameRange, arguments, range)
        default:
            return nil
        }
    }

    private mutating func numberedVariable(_ name: String, _ arguments: [Expr], _ range: Range<Int>) -> Expr {
        var parts = [name]
        for argument in arguments {
            guard case .literal(.int(let number)) = argument.kind, number >= 0 else {
                report("the variable number must be a literal of 0 or more", at: argument.range)
                return make(.invalid, range)
            }
            parts.append(String(number))
        }
        return make(.identifier(parts.joined(separator: ":"), isRooted: false), range)
    }

    /// One or two arguments are passed to the function as they are, more as a list.
    private mutating func extreme(
        _ name: String, _ nameRange: Range<Int>, _ arguments: [Expr], _ range: Range<Int>
    ) -> Expr {
        var passed = arguments
        if arguments.count > 2 {
            let elements = arguments.map { Expr.Element(value: $0, isOptional: false) }
            passed = [make(.list(elements), range, arguments)]
        }
        return make(.call(Expr.Name(text: name, range: nameRange), target: nil, arguments: passed), range, passed)
    }

    private mutating func variable(_ argument: Expr, of macro: String) -> String? {
        if case .identifier(let name, isRooted: false) = argument.kind { return name }
        if case .invalid = argument.kind { return nil }
        report("'\(macro)' expects a variable name here", at: argument.range)
        return nil
    }
}

/// How a macro interprets its arguments.
private struct ComprehensionShape {
    let verb: ComprehensionVerb
    let variables: Int
    var hasFilter = false
    var hasBody = true

    init?(_ name: String, arguments: Int) {
        switch (name, arguments) {
        case ("all", 2...3): self.init(.all, variables: arguments - 1)
        case ("exists", 2...3): self.init(.exists, variables: arguments - 1)
        case ("exists_one", 2...3), ("existsOne", 2...3): self.init(.existsOne, variables: arguments - 1)
        case ("map", 2): self.init(.list, variables: 1)
        case ("map", 3): self.init(.list, variables: 1, hasFilter: true)
        case ("filter", 2): self.init(.list, variables: 1, hasFilter: true, hasBody: false)
        case ("transformList", 3...4): self.init(.list, variables: 2, hasFilter: arguments == 4)
        case ("transformMap", 3...4): self.init(.transformMap, variables: 2, hasFilter: arguments == 4)
        case ("transformMapEntry", 3...4): self.init(.transformMapEntry, variables: 2, hasFilter: arguments == 4)
        case ("sortBy", 2): self.init(.sortBy, variables: 1)
        default: return nil
        }
    }

    private init(_ verb: ComprehensionVerb, variables: Int, hasFilter: Bool = false, hasBody: Bool = true) {
        self.verb = verb
        self.variables = variables
        self.hasFilter = hasFilter
        self.hasBody = hasBody
    }
}
