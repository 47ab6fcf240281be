/// What is known about the types that the checker has not found yet.
///
/// The rules are those of cel-go's checker, so that the same expressions are accepted with the same
/// types: a variable takes the first type it meets, becomes more general if it meets a more general
/// one, and `dyn` is compatible with everything.
struct Inference {
    private var found: [Int: CELType] = [:]
    private var count = 0

    mutating func fresh() -> CELType {
        count += 1
        return .variable(count)
    }

    /// `type` with everything known substituted; `undecided` replaces the rest.
    func resolved(_ type: CELType, undecided: CELType? = nil) -> CELType {
        switch type {
        case .variable(let number):
            if let known = found[number] { return resolved(known, undecided: undecided) }
            return undecided ?? type
        case .list(let element): return .list(resolved(element, undecided: undecided))
        case .map(let key, let value):
            return .map(resolved(key, undecided: undecided), resolved(value, undecided: undecided))
        case .type(let of?): return .type(resolved(of, undecided: undecided))
        case .opaque(let name, let parameters):
            return .opaque(name, parameters.map { resolved($0, undecided: undecided) })
        default: return type
        }
    }

    /// Whether a value of `type` can be used where `target` is expected. On success, variables of
    /// both may be known more precisely.
    mutating func assign(_ type: CELType, to target: CELType) -> Bool {
        var attempt = self
        guard attempt.isAssignable(type, target) else { return false }
        self = attempt
        return true
    }

    mutating func assign(_ types: [CELType], to targets: [CELType]) -> Bool {
        guard types.count == targets.count else { return false }
        var attempt = self
        for (type, target) in zip(types, targets) where !attempt.isAssignable(type, target) { return false }
        self = attempt
        return true
    }

    /// The common type of elements of both types; nil if that is `dyn` for lack of a better one.
    mutating func join(_ previous: CELType, _ next: CELType) -> CELType? {
        assign(previous, to: next) ? Inference.moreGeneral(previous, next) : nil
    }

    private mutating func isAssignable(_ left: CELType, _ right: CELType) -> Bool {
        if case .variable(let number) = right {
            if substitute(left, for: number) { return true }
            if found[number] != nil { return false }
        }
        if case .variable(let number) = left { return substitute(right, for: number) }
        if left == .dyn || right == .dyn { return true }
        if left == .null { return Inference.takesNull(right) }
        if right == .null { return Inference.takesNull(left) }
        switch (left, right) {
        case (.type, .type): return true
        case (.list, .list), (.map, .map), (.opaque, .opaque):
            return left.name == right.name && areAssignable(left.parameters, right.parameters)
        default: return left == right
        }
    }

    private mutating func areAssignable(_ left: [CELType], _ right: [CELType]) -> Bool {
        guard left.count == right.count else { return false }
        for (left, right) in zip(left, right) where !isAssignable(left, right) { return false }
        return true
    }

    private static func takesNull(_ type: CELType) -> Bool {
        switch type {
        case .null, .timestamp, .duration, .opaque: true
        default: false
        }
    }

    private mutating func substitute(_ type: CELType, for number: Int) -> Bool {
        if type == .variable(number) { return true }
        guard let known = found[number] else {
            guard !occurs(number, in: type) else { return false }
            found[number] = type
            return true
        }
        if type == known { return true }
        guard isAssignable(type, known) else { return false }
        let general = Inference.moreGeneral(type, known)
        if !occurs(number, in: general) { found[number] = general }
        return true
    }

    private func occurs(_ number: Int, in type: CELType) -> Bool {
        if case .variable(let other) = type {
            return other == number || found[other].map { occurs(number, in: $0) } == true
        }
        return type.parameters.contains { occurs(number, in: $0) }
    }

    private static func moreGeneral(_ left: CELType, _ right: CELType) -> CELType {
        isAtLeastAsGeneral(left, right) ? left : right
    }

    private static func isAtLeastAsGeneral(_ left: CELType, _ right: CELType) -> Bool {
        if left.isUndecided { return true }
        if right.isUndecided { return false }
        if right == .null { return takesNull(left) }
        switch (left, right) {
        case (.type, .type): return true
        case (.list, .list), (.map, .map), (.opaque, .opaque):
            return left.name == right.name && left.parameters.count == right.parameters.count
                && zip(left.parameters, right.parameters).allSatisfy { isAtLeastAsGeneral($0, $1) }
        default: return left == right
        }
    }
}

extension CELType {
    fileprivate var isUndecided: Bool {
        if case .variable = self { return true }
        return self == .dyn
    }

    /// Replaces each type parameter with a type to be inferred.
    func instantiated(_ inference: inout Inference, _ variables: inout [String: CELType]) -> CELType {
        switch self {
        case .parameter(let name):
            if let variable = variables[name] { return variable }
            let variable = inference.fresh()
            variables[name] = variable
            return variable
        case .list(let element): return .list(element.instantiated(&inference, &variables))
        case .map(let key, let value):
            return .map(key.instantiated(&inference, &variables), value.instantiated(&inference, &variables))
        case .type(let of?): return .type(of.instantiated(&inference, &variables))
        case .opaque(let name, let parameters):
            return .opaque(name, parameters.map { $0.instantiated(&inference, &variables) })
        default: return self
        }
    }
}
