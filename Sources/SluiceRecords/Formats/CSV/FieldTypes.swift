import SluiceCEL

/// The option `types` of formats with columns: what fields are, if they are not text.
struct FieldTypes: Sendable {
    static let infer = "infer"

    private var entries: [(name: Leaf, type: FieldType)] = []
    /// Whether the types are those of the first records.
    private(set) var areInferred = false
    /// Whether ``take(_:)`` was called.
    private var areKnown = true

    init() {}

    init(_ options: Arguments) {
        entries = (options["types"]?.entries ?? []).compactMap { entry in
            entry.value.leaf.flatMap { FieldType(rawValue: $0.text) }.map { (entry.key, $0) }
        }
        areInferred = options["types"]?.leaf != nil
        areKnown = !areInferred
    }

    /// Takes the types that were inferred.
    mutating func take(_ types: [InferredField]) {
        entries = types.map { (Leaf($0.name), $0.type) }
        areKnown = true
    }

    var names: [String] { entries.map(\.name.text) }

    var byName: [Name: FieldType] {
        Dictionary(entries.map { (Name($0.name.text), $0.type) }) { _, last in last }
    }

    func schema(of names: [String]) -> Schema {
        let types = byName
        return .known(names.map { Schema.Field(name: $0, type: areKnown ? (types[Name($0)] ?? .string).celType : .dyn) })
    }

    /// Reports types of columns that do not exist.
    func check(_ format: String, against columns: [Leaf], _ checking: inout Checking) {
        let known = columns.map(\.text)
        for (name, _) in entries where name.text.index(in: known) == nil {
            checking.report(
                "\(format): no such column '\(name.text)'\(didYouMean(name.text, among: known))", at: name.place,
                fix: "the columns are: \(known.joined(separator: ", "))")
        }
    }
}
