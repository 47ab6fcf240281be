internal import SluiceRecords
internal import SluiceCEL

/// The parameters of a pipeline file, with values of `--set`.
struct Parameters: Sendable {
    struct Parameter: Sendable {
        enum Kind: String, Sendable {
            case text, integer, number, bool
        }

        var name: Leaf
        var text: String
        var kind: Kind
        /// Whether it has neither a default nor a value from `--set`.
        var isMissing = false
    }

    /// In the order of the file.
    private(set) var all: [Parameter] = []
    private(set) var used: Set<String> = []

    var names: [String] { all.map(\.name.text) }

    subscript(_ name: String) -> Parameter? { all.first { $0.name.text == name } }

    mutating func append(_ parameter: Parameter) { all.append(parameter) }
    mutating func markUsed(_ name: String) { used.insert(name) }

    /// The kind of values that a parameter with this default may have.
    static func kind(of leaf: Leaf) -> Parameter.Kind {
        guard leaf.isPlain else { return .text }
        if Int64(leaf.text) != nil { return .integer }
        if ["true", "false"].contains(leaf.text) { return .bool }
        return leaf.text.first.map { $0.isNumber || $0 == "-" } == true && Double(leaf.text) != nil ? .number : .text
    }

    static func admits(_ text: String, _ kind: Parameter.Kind) -> Bool {
        switch kind {
        case .text: true
        case .integer: Int64(text) != nil
        case .number: Double(text)?.isFinite == true
        case .bool: text == "true" || text == "false"
        }
    }
}
