/// The functions `math.*`.
enum MathLibrary {
    static let functions: [Function] =
        extremes + rounding + bits + [
            Function(
                "math.abs(int) -> int", "math.abs(uint) -> uint", "math.abs(double) -> double",
                implementation: .pure { value throws(EvaluationError) in
                    switch value {
                    case .int(.min): throw .overflow("math.abs")
                    case .int(let number): .int(abs(number))
                    case .uint: value
                    case .double(let number): .double(abs(number))
                    default: throw .noOverload("math.abs", value)
                    }
                }),
            Function(
                "math.sign(int) -> int", "math.sign(uint) -> uint", "math.sign(double) -> double",
                implementation: .pure { value throws(EvaluationError) in
                    switch value {
                    case .int(let number): .int(number.signum())
                    case .uint(let number): .uint(number == 0 ? 0 : 1)
                    case .double(let number): .double(number > 0 ? 1 : number < 0 ? -1 : number.isNaN ? .nan : 0)
                    default: throw .noOverload("math.sign", value)
                    }
                }),
            Function(
                "math.sqrt(double) -> double", "math.sqrt(int) -> double", "math.sqrt(uint) -> double",
                implementation: .pure { value throws(EvaluationError) in
                    switch value {
                    case .int(let number): .double(Double(number).squareRoot())
                    case .uint(let number): .double(Double(number).squareRoot())
                    case .double(let number): .double(number.squareRoot())
                    default: throw .noOverload("math.sqrt", value)
                    }
                }),
            Function("math.isNaN(double) -> bool", implementation: .double("math.isNaN") { .bool($0.isNaN) }),
            Function("math.isInf(double) -> bool", implementation: .double("math.isInf") { .bool($0.isInfinite) }),
            Function("math.isFinite(double) -> bool", implementation: .double("math.isFinite") { .bool($0.isFinite) }),
        ]

    private static let rounding: [Function] = [
        Function("math.ceil(double) -> double", implementation: .double("math.ceil") { .double($0.rounded(.up)) }),
        Function("math.floor(double) -> double", implementation: .double("math.floor") { .double($0.rounded(.down)) }),
        Function("math.round(double) -> double", implementation: .double("math.round") { .double($0.rounded(.toNearestOrAwayFromZero)) }),
        Function("math.trunc(double) -> double", implementation: .double("math.trunc") { .double($0.rounded(.towardZero)) }),
    ]

    private static let extremes: [Function] = [
        extreme("math.greatest", wins: .greater), extremeOfTwo("math.greatest", wins: .greater),
        extreme("math.least", wins: .less), extremeOfTwo("math.least", wins: .less),
    ]

    private static func extreme(_ name: String, wins: Order) -> Function {
        let types = ["int", "uint", "double"]
        let signatures = types.map { "\(name)(\($0)) -> \($0)" } + types.map { "\(name)(list(\($0))) -> \($0)" }
        return Function(
            signatures,
            implementation: .pure { value throws(EvaluationError) in
                switch value {
                case .int, .uint, .double: return value
                case .list(let values):
                    guard var best = values.first else { throw .invalid("\(name)(list) argument must not be empty") }
                    for value in values { best = try better(best, value, name, wins) }
                    return best
                default: throw .noOverload(name, value)
                }
            })
    }

    private static func extremeOfTwo(_ name: String, wins: Order) -> Function {
        let types = ["int", "uint", "double"]
        let signatures = types.flatMap { left in
            types.map { right in "\(name)(\(left), \(right)) -> \(left == right ? left : "dyn")" }
        }
        return Function(signatures, implementation: .pure { left, right throws(EvaluationError) in try better(left, right, name, wins) })
    }

    private static func better(_ best: Value, _ value: Value, _ name: String, _ wins: Order) throws(EvaluationError) -> Value {
        guard let order = value.compareNumbers(best) else { throw .noOverload(name, best, value) }
        return order == wins ? value : best
    }

    private static let bits: [Function] = [
        bitwise("math.bitAnd") { $0 & $1 }, bitwise("math.bitOr") { $0 | $1 }, bitwise("math.bitXor") { $0 ^ $1 },
        Function(
            "math.bitNot(int) -> int", "math.bitNot(uint) -> uint",
            implementation: .pure { value throws(EvaluationError) in
                switch value {
                case .int(let number): .int(~number)
                case .uint(let number): .uint(~number)
                default: throw .noOverload("math.bitNot", value)
                }
            }),
        // Shifts fill with zeros on either side, whatever the sign.
        shift("math.bitShiftLeft") { $0 << $1 }, shift("math.bitShiftRight") { $0 >> $1 },
    ]

    private static func bitwise(_ name: String, _ body: @escaping @Sendable (UInt64, UInt64) -> UInt64) -> Function {
        Function(
            "\(name)(int, int) -> int", "\(name)(uint, uint) -> uint",
            implementation: .pure { left, right throws(EvaluationError) in
                switch (left, right) {
                case (.int(let left), .int(let right)):
                    .int(Int64(bitPattern: body(UInt64(bitPattern: left), UInt64(bitPattern: right))))
                case (.uint(let left), .uint(let right)): .uint(body(left, right))
                default: throw .noOverload(name, left, right)
                }
            })
    }

    private static func shift(_ name: String, _ body: @escaping @Sendable (UInt64, Int64) -> UInt64) -> Function {
        Function(
            "\(name)(int, int) -> int", "\(name)(uint, int) -> uint",
            implementation: .pure { number, offset throws(EvaluationError) in
                guard case .int(let offset) = offset else { throw .noOverload(name, number, offset) }
                guard offset >= 0 else { throw .invalid("\(name)() negative offset: \(offset)") }
                switch number {
                case .int(let number): return .int(Int64(bitPattern: body(UInt64(bitPattern: number), offset)))
                case .uint(let number): return .uint(body(number, offset))
                default: throw .noOverload(name, number, .int(offset))
                }
            })
    }
}
