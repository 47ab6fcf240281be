internal import SluiceCEL
internal import SluiceRecords

extension PipelineBuilding {
    /// Compiles an expression against the fields that records have at its place; what is wrong with it is reported where it stands in the file.
    mutating func program(_ leaf: Leaf, _ label: String, in schema: Schema) -> CellProgram? {
        guard leaf.isComplete else { return nil }
        do throws(Diagnostics) {
            return try CellProgram(leaf.text, in: Environment(fields: schema.scope, constants: constants))
        } catch {
            for diagnostic in error.all {
                report("\(label): \(diagnostic)", at: leaf.place(of: diagnostic.range), fix: fix(for: diagnostic, in: leaf, schema: schema))
            }
            return nil
        }
    }

    /// An expression that says yes or no.
    mutating func condition(_ leaf: Leaf, _ label: String, in schema: Schema) -> CellProgram? {
        guard let program = program(leaf, label, in: schema) else { return nil }
        guard program.type == .bool || program.type == .dyn else {
            report("\(label): must be true or false, and '\(leaf.text)' is of type \(program.type)", at: leaf.place, fix: "compare it with something")
            return nil
        }
        return program
    }

    /// Reports names that no record has here.
    mutating func checkFields(_ leaves: [Leaf], _ label: String, in schema: Schema) {
        guard case .known(let fields) = schema else { return }
        let names = fields.map(\.name)
        for leaf in leaves where !names.contains(leaf.text) {
            report("\(label): no such field '\(leaf.text)'\(didYouMean(leaf.text, among: names))", at: leaf.place, fix: listed(names))
        }
    }

    private func fix(for diagnostic: SluiceCEL.Diagnostic, in leaf: Leaf, schema: Schema) -> String? {
        guard diagnostic.message.contains("no such field") else { return nil }
        if !leaf.isPlain, !leaf.text.contains(where: { !($0.isLetter || $0.isNumber || $0 == "_") }) {
            return "text in an expression has quotes of its own: \"'\(leaf.text)'\""
        }
        guard case .known(let fields) = schema else { return nil }
        return listed(fields.map(\.name))
    }

    private func listed(_ names: [String]) -> String {
        names.isEmpty ? "no field is left here" : "the fields here are: \(names.joined(separator: ", "))"
    }
}

extension Schema {
    fileprivate var scope: Environment.FieldScope {
        switch self {
        case .open: .open
        case .known(let fields): .known(Dictionary(fields.map { ($0.name, $0.type) }) { $1 })
        }
    }
}
