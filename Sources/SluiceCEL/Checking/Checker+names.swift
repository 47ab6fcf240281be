extension Checker {
    mutating func identifier(_ name: String, isRooted: Bool, _ range: Range<Int>) -> Node {
        if !isRooted, let local = local(name) {
            return Node(kind: .local(local.index), type: local.type, range: range)
        }
        if let node = global(isRooted ? "." + name : name, range) { return node }
        if case .open = environment.fields {
            return Node(kind: .field(index(ofField: name)), type: .dyn, range: range)
        }
        let suggestion = Spelling.nearest(to: name, among: knownNames)
        return failure(.noSuchField, "\(environment.hasRecord ? "no such field" : "unknown variable") '\(name)'", at: range, suggestion: suggestion)
    }

    private var knownNames: [String] {
        var names = locals.map(\.name) + environment.constants.keys.map(\.text)
        if case .known(let fields) = environment.fields { names += fields.keys.map(\.text) }
        return environment.hasRecord ? names + ["record", "source"] : names
    }

    /// What a name, dotted or not, means outside of macros; looked up in the container and then in
    /// its enclosing namespaces.
    private mutating func global(_ name: String, _ range: Range<Int>) -> Node? {
        for candidate in candidates(name) {
            if let node = declared(candidate, range) { return node }
        }
        return nil
    }

    /// `A.B.name`, `A.name`, `name` in the container `A.B`; the name alone if it starts with a dot.
    func candidates(_ name: String) -> [String] {
        if name.hasPrefix(".") { return [String(name.dropFirst())] }
        var candidates: [String] = []
        var container = environment.container.split(separator: ".")
        while !container.isEmpty {
            candidates.append(container.joined(separator: ".") + "." + name)
            container.removeLast()
        }
        return candidates + [name]
    }

    private mutating func declared(_ name: String, _ range: Range<Int>) -> Node? {
        if environment.hasRecord, name == "record" {
            return Node(kind: .record, type: .map(.string, .dyn), range: range)
        }
        if environment.hasRecord, name == "source" {
            return Node(kind: .source, type: .map(.string, .dyn), range: range)
        }
        if let value = environment.constants[Name(name)] {
            return Node(kind: .constant(value), type: value.type, range: range)
        }
        if case .known(let fields) = environment.fields, let type = fields[Name(name)] {
            return Node(kind: .field(index(ofField: name)), type: type, range: range)
        }
        guard let type = CELType.denoted[name] else { return nil }
        let value = Value.type(type)
        if case .open = environment.fields, !name.utf8.contains(UInt8(ascii: ".")) {
            return Node(kind: .fieldOr(index(ofField: name), value), type: .dyn, range: range)
        }
        return Node(kind: .constant(value), type: .type(type), range: range)
    }

    /// A field of a known type, written as `record.name`.
    private mutating func recordField(_ field: Expr.Name) -> (index: Int, type: CELType)? {
        guard case .known(let fields) = environment.fields else { return (index(ofField: field.text), .dyn) }
        if let type = fields[Name(field.text)] { return (index(ofField: field.text), type) }
        let suggestion = Spelling.nearest(to: field.text, among: fields.keys.map(\.text))
        report("no such field '\(field.text)'", at: field.range, suggestion: suggestion)
        return environment.checksTypes ? nil : (index(ofField: field.text), .dyn)
    }

    mutating func select(_ expression: Expr, _ operand: Expr, _ field: Expr.Name, isOptional: Bool) -> Node {
        let range = expression.range
        if !isOptional, let name = expression.qualifiedName, local(Checker.firstPart(of: name)) == nil, let node = global(name, range) {
            return node
        }
        let operand = check(operand)
        if case .record = operand.kind {
            guard let (index, type) = recordField(field) else {
                return Node(kind: .failure(.noSuchField(field.text)), type: .dyn, range: range)
            }
            if isOptional { return Node(kind: .optionalField(index), type: .optional(type), range: range) }
            return Node(kind: .field(index), type: type, range: range)
        }
        if !isOptional { reportUnknownKey(of: operand, field) }
        let (type, operandIsOptional) = fieldType(operand, field)
        if isOptional {
            return Node(kind: .optionalSelect(operand, field.text), type: .optional(type), range: range)
        }
        return Node(kind: .select(operand, field.text), type: operandIsOptional ? .optional(type) : type, range: range)
    }

    /// `params.typo`: a constant's keys are all known.
    private mutating func reportUnknownKey(of operand: Node, _ field: Expr.Name) {
        guard environment.hasRecord, case .constant(.map(let map)) = operand.kind, map[field.text] == nil else { return }
        let keys = map.entries.compactMap { entry -> String? in
            if case .string(let key) = entry.key { return key }
            return nil
        }
        report("no such key '\(field.text)'", at: field.range, suggestion: Spelling.nearest(to: field.text, among: keys))
    }

    private static func firstPart(of name: String) -> String {
        name.hasPrefix(".") ? "" : String(name.prefix { $0 != "." })
    }

    mutating func presence(_ operand: Expr, _ field: Expr.Name, _ range: Range<Int>) -> Node {
        let operand = check(operand)
        if case .record = operand.kind {
            guard let (index, _) = recordField(field) else {
                return Node(kind: .failure(.noSuchField(field.text)), type: .bool, range: range)
            }
            return Node(kind: .fieldPresence(index), type: .bool, range: range)
        }
        _ = fieldType(operand, field)
        return Node(kind: .presence(operand, field.text), type: .bool, range: range)
    }

    /// The type of `operand.field`, without its optional wrapper if the operand is an optional.
    private mutating func fieldType(_ operand: Node, _ field: Expr.Name) -> (type: CELType, operandIsOptional: Bool) {
        let type = resolved(operand)
        let target = type.wrapped.map { inference.resolved($0) } ?? type
        let isOptional = type.wrapped != nil
        switch target {
        case .map(_, let value): return (value, isOptional)
        case .variable:
            // Later uses must not narrow what was read as a map of anything.
            _ = inference.assign(.dyn, to: target)
        case .dyn: break
        default:
            report("a value of type \(target.shown) has no field '\(field.text)'", at: field.range)
        }
        return (.dyn, isOptional)
    }

    mutating func index(_ operand: Node, _ key: Node, isOptional: Bool, _ range: Range<Int>) -> Node {
        if case .record = operand.kind, case .constant(.string(let name)) = key.kind {
            let field = Expr.Name(text: name, range: key.range)
            guard let (index, type) = recordField(field) else {
                return Node(kind: .failure(.noSuchField(name)), type: .dyn, range: range)
            }
            if isOptional { return Node(kind: .optionalField(index), type: .optional(type), range: range) }
            return Node(kind: .field(index), type: type, range: range)
        }
        let type = resolved(operand)
        let target = type.wrapped.map { inference.resolved($0) } ?? type
        let element = elementType(of: target, operand, key)
        if isOptional {
            return Node(kind: .optionalIndex(operand, key), type: .optional(element), range: range)
        }
        return Node(kind: .index(operand, key), type: type.wrapped == nil ? element : .optional(element), range: range)
    }

    private mutating func elementType(of target: CELType, _ operand: Node, _ key: Node) -> CELType {
        switch target {
        case .list(let element):
            if !inference.assign(key.type, to: .int) {
                report("a list index must be an int, found \(resolved(key))", at: key.range)
            }
            return element
        case .map(let keyType, let value):
            if !inference.assign(key.type, to: keyType) {
                report("the map's keys are of type \(inference.resolved(keyType)), found \(resolved(key))", at: key.range)
            }
            return value
        case .variable:
            _ = inference.assign(.dyn, to: target)
            return .dyn
        case .dyn: return .dyn
        default:
            report("a value of type \(target) cannot be indexed", at: operand.range)
            return .dyn
        }
    }
}

extension CELType {
    /// The types that can be named as values.
    static let denoted: [String: CELType] = {
        let types: [CELType] = [
            .bool, .int, .uint, .double, .string, .bytes, .list(.dyn), .map(.dyn, .dyn), .null, .type(nil), .timestamp,
            .duration, .ip, .cidr, .optional(.dyn),
        ]
        return Dictionary(uniqueKeysWithValues: types.map { ($0.name, $0) })
    }()
}
