/// One function with one way to call it: all its signatures share style and number of arguments,
/// and one body that inspects the values.
struct Function: Sendable {
    let name: String
    let overloads: [Overload]
    let implementation: Implementation

    init(_ signatures: String..., implementation: Implementation) {
        self.init(signatures, implementation: implementation)
    }

    init(_ signatures: [String], implementation: Implementation) {
        let read = signatures.map(Overload.reading)
        name = read[0].name
        overloads = read.map(\.overload)
        self.implementation = implementation
    }
}

/// All callable functions, by name.
struct FunctionTable: Sendable {
    private struct Style: Hashable {
        let isMember: Bool
        let arity: Int
    }

    private var overloads: [String: [Overload]] = [:]
    private var implementations: [String: [Style: Implementation]] = [:]

    /// CEL's own functions and operators, its extension libraries, and Sluice's additions.
    static let strict = FunctionTable(mixedArithmetic: false)
    static let mixed = FunctionTable(mixedArithmetic: true)

    private init(mixedArithmetic: Bool) {
        let libraries = [
            Arithmetic.functions(mixed: mixedArithmetic), Relations.functions(mixed: mixedArithmetic),
            Conversions.functions, Strings.functions, StringSearch.functions, Formatting.functions,
            Times.functions, Lists.functions, Sets.functions, MathLibrary.functions, Optionals.functions,
            Encoders.functions, Patterns.functions, Network.functions, TimeUnit.functions, Additions.functions,
        ]
        for function in libraries.joined() { add(function) }
    }

    init(_ table: FunctionTable, adding declarations: [FunctionDeclaration]) {
        self = table
        for declaration in declarations {
            overloads[declaration.name, default: []] += declaration.overloads
        }
    }

    private mutating func add(_ function: Function) {
        overloads[function.name, default: []] += function.overloads
        for overload in function.overloads {
            let style = Style(isMember: overload.isMember, arity: overload.parameters.count)
            implementations[function.name, default: [:]][style] = function.implementation
        }
    }

    var names: some Sequence<String> { overloads.keys.lazy.filter { !Operator.isOperator($0) } }

    func contains(_ name: String) -> Bool { overloads[name] != nil }

    func overloads(of name: String) -> [Overload] { overloads[name] ?? [] }

    func implementation(of name: String, isMember: Bool, arity: Int) -> Implementation {
        implementations[name]?[Style(isMember: isMember, arity: arity)] ?? .none
    }
}
