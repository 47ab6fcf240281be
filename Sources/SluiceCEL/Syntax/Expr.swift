/// An expression as it was written, with macros recognised.
public struct Expr: Sendable {
    public let kind: Kind
    /// UTF-8 offsets in the text.
    public let range: Range<Int>
    /// Levels of nesting, 1 for a leaf. Bounded, so that walking a tree cannot exhaust the stack.
    let depth: Int

    public indirect enum Kind: Sendable {
        case literal(Value)
        /// `isRooted`: written with a leading dot, so that neither local names nor the container
        /// apply.
        case identifier(String, isRooted: Bool)
        case select(Expr, Name, isOptional: Bool)
        /// `has(operand.field)`
        case presence(Expr, Name)
        case index(Expr, Expr, isOptional: Bool)
        /// A function, or an operator by its name in the specification (`_+_`, `!_`).
        case call(Name, target: Expr?, arguments: [Expr])
        /// `a && b && …`
        case all([Expr])
        /// `a || b || …`
        case any([Expr])
        case conditional(Expr, then: Expr, otherwise: Expr)
        case list([Element])
        case map([Entry])
        /// A protocol-buffer message, which is only parsed to report that they are not supported.
        case message(String)
        case comprehension(Comprehension)
        /// `cel.bind(name, value, body)`
        case bind(String, Expr, body: Expr)
        /// `target.optMap(name, body)`, and `optFlatMap` if the body is itself an optional.
        case optionalMap(Expr, String, body: Expr, isFlat: Bool)
        /// `cel.block([…], body)`
        case block([Expr], body: Expr)
        /// What could not be parsed; a diagnostic says why.
        case invalid
    }

    public struct Name: Sendable {
        public let text: String
        public let range: Range<Int>
    }

    public struct Element: Sendable {
        public let value: Expr
        public let isOptional: Bool
    }

    public struct Entry: Sendable {
        public let key: Expr
        public let value: Expr
        public let isOptional: Bool
    }

    /// A macro that visits the elements of a list or the entries of a map.
    public struct Comprehension: Sendable {
        public let verb: ComprehensionVerb
        public let range: Expr
        /// The element or the key; the index or the key if there is a second name.
        public let first: String
        /// The value.
        public let second: String?
        public let filter: Expr?
        public let body: Expr
    }
}

public enum ComprehensionVerb: Sendable {
    case all
    case exists
    case existsOne
    /// `map` and `transformList`; also `filter`, with the element itself as the body.
    case list
    case transformMap
    /// The body is a map whose entries are added.
    case transformMapEntry
    case sortBy
}

/// The operators' function names, as the specification writes them.
public enum Operator {
    public static let add = "_+_"
    public static let subtract = "_-_"
    public static let multiply = "_*_"
    public static let divide = "_/_"
    public static let remainder = "_%_"
    public static let equal = "_==_"
    public static let notEqual = "_!=_"
    public static let less = "_<_"
    public static let lessOrEqual = "_<=_"
    public static let greater = "_>_"
    public static let greaterOrEqual = "_>=_"
    public static let isIn = "_in_"
    public static let not = "!_"
    public static let negate = "-_"

    static func isOperator(_ name: String) -> Bool { name.hasPrefix("_") || name == not || name == negate }
}
