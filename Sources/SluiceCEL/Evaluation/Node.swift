/// An expression with every name resolved and its constant parts computed: what is evaluated.
public struct Node: Sendable {
    public let kind: Kind
    /// As far as it is known before evaluation.
    public let type: CELType
    /// UTF-8 offsets in the expression's text.
    public let range: Range<Int>

    public indirect enum Kind: Sendable {
        case constant(Value)
        /// A record's field, by its index in ``Program/fields``; an error if the record has none.
        case field(Int)
        /// The same, but with a value to use if the record has no such field: names like `string`,
        /// which are also types.
        case fieldOr(Int, Value)
        /// `has(record.x)`
        case fieldPresence(Int)
        /// `record.?x`
        case optionalField(Int)
        /// The whole record.
        case record
        /// Where the record came from.
        case source
        /// A macro variable, by its index in the frame.
        case local(Int)
        case select(Node, String)
        case optionalSelect(Node, String)
        case presence(Node, String)
        case index(Node, Node)
        case optionalIndex(Node, Node)
        case call(Call)
        /// `&&` and `||`: an operand that decides the result discards the errors of the others.
        case all([Node])
        case any([Node])
        case conditional(Node, then: Node, otherwise: Node)
        case list([Element])
        case map([Entry])
        case comprehension(Comprehension)
        case bind(Int, Node, body: Node)
        case optionalMap(Node, Int, body: Node, isFlat: Bool)
        /// Fails when it is reached: an error in an unchecked expression.
        case failure(EvaluationError)
    }

    public struct Call: Sendable {
        /// The function's full name, or the operator's; see ``Operator``.
        public let name: String
        /// The target, if there is one, comes first.
        public let arguments: [Node]
        let implementation: Implementation

        /// Whether the function hands its arguments on, or writes them: others compute, and see a
        /// decimal as a double.
        var keepsDigits: Bool { ["string", "dyn", "optional.of", "optional.ofNonZeroValue"].contains(name) }
    }

    public struct Element: Sendable {
        public let value: Node
        public let isOptional: Bool
    }

    public struct Entry: Sendable {
        public let key: Node
        public let value: Node
        public let isOptional: Bool
    }

    public struct Comprehension: Sendable {
        public let verb: ComprehensionVerb
        public let range: Node
        /// The frame index of the element or key, or of the index if there are two variables.
        public let first: Int
        public let second: Int?
        public let filter: Node?
        public let body: Node
    }
}
