/// `== != < <= > >= in !`, and `type` and `dyn`.
enum Relations {
    static func functions(mixed: Bool) -> [Function] {
        [
            Function(
                equality(Operator.equal, mixed),
                implementation: .binary { left, right, meter throws(EvaluationError) in
                    .bool(try left.equals(right, &meter))
                }),
            Function(
                equality(Operator.notEqual, mixed),
                implementation: .binary { left, right, meter throws(EvaluationError) in
                    .bool(try !left.equals(right, &meter))
                }),
            ordering(Operator.less, mixed) { $0 == .less },
            ordering(Operator.lessOrEqual, mixed) { $0 == .less || $0 == .equal },
            ordering(Operator.greater, mixed) { $0 == .greater },
            ordering(Operator.greaterOrEqual, mixed) { $0 == .greater || $0 == .equal },
            Function("_in_(A, list(A)) -> bool", "_in_(A, map(A, B)) -> bool", implementation: .binary(isIn)),
            Function(
                "!_(bool) -> bool",
                implementation: .pure { value throws(EvaluationError) in
                    guard case .bool(let value) = value else { throw .noOverload(Operator.not, value) }
                    return .bool(!value)
                }),
            Function("type(A) -> type(A)", implementation: .pure { value in .type(value.type) }),
            Function("dyn(A) -> dyn", implementation: .pure { value in value }),
        ]
    }

    private static let mixedTypes = ["int, uint", "uint, int", "int, double", "double, int", "uint, double", "double, uint"]

    private static func equality(_ name: String, _ mixed: Bool) -> [String] {
        ["\(name)(A, A) -> bool"] + (mixed ? mixedTypes.map { "\(name)(\($0)) -> bool" } : [])
    }

    private static func ordering(_ name: String, _ mixed: Bool, _ holds: @escaping @Sendable (Order) -> Bool) -> Function {
        let types = ["bool", "int", "uint", "double", "string", "bytes", "timestamp", "duration"]
        let signatures = types.map { "\(name)(\($0), \($0)) -> bool" } + (mixed ? mixedTypes.map { "\(name)(\($0)) -> bool" } : [])
        return Function(
            signatures,
            implementation: .pure { left, right throws(EvaluationError) in
                guard let order = left.compare(right) else { throw .noOverload(name, left, right) }
                return .bool(holds(order))
            })
    }

    @Sendable private static func isIn(_ element: Value, _ container: Value, _ meter: inout Meter) throws(EvaluationError) -> Value {
        switch container {
        case .list(let values):
            for value in values where try value.equals(element, &meter) { return .bool(true) }
            return .bool(false)
        case .map(let map): return .bool(map[element] != nil)
        default: throw .noOverload(Operator.isIn, element, container)
        }
    }
}
