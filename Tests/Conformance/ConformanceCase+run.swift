import SluiceCEL

extension ConformanceCase {
    /// What went wrong; nil if the case passes.
    func failure() -> String? {
        let program: Program
        do {
            program = try Program(expr, in: environment)
        } catch {
            return expected.kind == "error" ? nil : "does not compile: \(error)"
        }
        if let deducedType, CELType(deducedType) != program.type {
            return "has type \(program.type), expected \(deducedType)"
        }
        if checkOnly == true || expected.kind == "check" { return nil }
        var variables = ValueMap()
        for (name, value) in bindings ?? [:] { variables.set(name, to: value.value) }
        switch program.evaluate(MapLookup(variables, for: program)) {
        case .failure(let error):
            return expected.kind == "error" ? nil : "fails: \(error)"
        case .success(let value):
            guard expected.kind == "value", let wanted = expected.value?.value else {
                return "returns \(value), expected an error"
            }
            return value.isExactly(wanted) ? nil : "returns \(value), expected \(wanted)"
        }
    }

    var environment: Environment {
        var variables: [String: CELType] = [:]
        for name in (bindings ?? [:]).keys { variables[name] = .dyn }
        for variable in typeEnv ?? [] {
            if let type = variable.type { variables[variable.name] = CELType(type) ?? .dyn }
        }
        var environment = Environment.strict(variables: variables)
        environment.container = container ?? ""
        environment.checksTypes = disableCheck != true
        environment.expandsMacros = disableMacros != true
        environment.declarations = (typeEnv ?? []).compactMap { variable in
            guard let signatures = variable.function else { return nil }
            let overloads = signatures.map { signature in
                Overload(
                    isMember: signature.instance, parameters: signature.params.map { CELType($0) ?? .dyn },
                    result: CELType(signature.result) ?? .dyn)
            }
            return FunctionDeclaration(name: variable.name, overloads: overloads)
        }
        return environment
    }
}

extension Value {
    /// Equal in type and value: `1` is not `1u`, `-0.0` is not `0.0`, NaN is NaN.
    fileprivate func isExactly(_ other: Value) -> Bool {
        switch (self, other) {
        case (.double(let left), .double(let right)):
            (left.isNaN && right.isNaN) || left.bitPattern == right.bitPattern
        case (.list(let left), .list(let right)):
            left.count == right.count && zip(left, right).allSatisfy { $0.isExactly($1) }
        case (.map(let left), .map(let right)):
            left.count == right.count
                && left.entries.allSatisfy { entry in
                    right.entries.contains { $0.key.isExactly(entry.key) && $0.value.isExactly(entry.value) }
                }
        case (.optional(let left), .optional(let right)):
            left.map { left in right.map { left.isExactly($0) } == true } ?? (right == nil)
        default: type.name == other.type.name && self == other
        }
    }
}
