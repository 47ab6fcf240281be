/// What an expression may name, and how strictly it is checked.
public struct Environment: Sendable {
    public enum FieldScope: Sendable {
        /// Any unknown name is a field of the record, whose type is only known at run time.
        case open
        /// These fields and no others; any other name is an error. Names may contain dots.
        case known([Name: CELType])
    }

    public var fields: FieldScope
    /// Names with one value for the whole run, such as `params`.
    public var constants: [Name: Value]
    /// Whether `record` and `source` can be named.
    public var hasRecord: Bool
    /// Allows `int` and `uint` to be added to, compared with and otherwise mixed with `double`,
    /// where CEL has no overload.
    public var mixedArithmetic: Bool
    /// The namespace in which names are looked up first, as `a.b`.
    public var container: String
    /// Functions that can be checked but not called.
    public var declarations: [FunctionDeclaration]
    /// If false, only syntax errors are reported before run time.
    public var checksTypes: Bool
    /// If false, `has`, `all` and the like are ordinary (unknown) functions.
    public var expandsMacros: Bool
    /// Steps that one evaluation may take; a step is about one call, one element visited or 16
    /// bytes handled.
    public var costLimit: Int

    public static let defaultCostLimit = 1_000_000

    /// The environment of Sluice's pipeline files. `Environment.strict` is CEL's own.
    public init(fields: FieldScope = .open, constants: [String: Value] = [:]) {
        self.fields = fields
        self.constants = constants.byName
        hasRecord = true
        mixedArithmetic = true
        container = ""
        declarations = []
        checksTypes = true
        expandsMacros = true
        costLimit = Environment.defaultCostLimit
    }

    /// CEL as specified: no record, no mixed arithmetic, only the given variables.
    public static func strict(variables: [String: CELType] = [:]) -> Environment {
        var environment = Environment(fields: .known(variables.byName))
        environment.hasRecord = false
        environment.mixedArithmetic = false
        return environment
    }
}

extension Dictionary where Key == String {
    fileprivate var byName: [Name: Value] { [Name: Value](uniqueKeysWithValues: map { (Name($0.key), $0.value) }) }
}

/// A function known only by its signatures.
public struct FunctionDeclaration: Hashable, Sendable {
    public var name: String
    public var overloads: [Overload]

    public init(name: String, overloads: [Overload]) {
        self.name = name
        self.overloads = overloads
    }
}

/// One signature of a function. Types written as `.parameter` stand for any type, the same one
/// wherever the name is the same.
public struct Overload: Hashable, Sendable {
    /// Called as `target.f(…)`; the target is the first parameter.
    public var isMember: Bool
    public var parameters: [CELType]
    public var result: CELType

    public init(isMember: Bool, parameters: [CELType], result: CELType) {
        self.isMember = isMember
        self.parameters = parameters
        self.result = result
    }
}
