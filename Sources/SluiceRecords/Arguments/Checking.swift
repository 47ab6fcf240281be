package import SluiceCEL

/// The context in which a verb, a format or a sink is checked, and the diagnostics it reports.
package struct Checking {
    package private(set) var diagnostics: [DefinitionDiagnostic] = []
    /// The fields of the records at this place. A verb updates them to those after it.
    package var fields: Schema
    /// The prefix of messages: `keep`, or `keep 'errors'` if the stage has a name in the file.
    package var label: String
    /// What expressions can refer to besides the record: `params`.
    private let constants: [String: Value]
    /// Whether files to be read may be missing on this machine.
    package var mayLackInputs = false
    /// The inputs, if they are known already, so that no pattern has to be matched.
    package var givenInputs: [InputFile]?

    package init(label: String, fields: Schema = .open, constants: [String: Value] = [:]) {
        self.label = label
        self.fields = fields
        self.constants = constants
    }

    package mutating func report(
        _ message: String, at place: TextPlace?, fix: String? = nil, severity: DefinitionDiagnostic.Severity = .error
    ) {
        diagnostics.append(DefinitionDiagnostic("\(label): \(message)", at: place, fix: fix, severity: severity))
    }

    /// Calls `body` with another label and, optionally, other fields.
    package mutating func within<Result>(
        _ label: String, fields: Schema? = nil, _ body: (inout Checking) -> Result
    ) -> Result {
        var inner = Checking(label: label, fields: fields ?? self.fields, constants: constants)
        let result = body(&inner)
        diagnostics += inner.diagnostics
        if fields == nil { self.fields = inner.fields }
        return result
    }

    /// Compiles an expression against the current fields; reports errors at their places in it.
    package mutating func program(_ leaf: Leaf, _ what: String? = nil) -> CellProgram? {
        guard leaf.isComplete else { return nil }
        do throws(Diagnostics) {
            let program = try CellProgram(leaf.text, in: SluiceCEL.Environment(fields: fields.scope, constants: constants))
            warn(of: program, leaf)
            return program
        } catch {
            for diagnostic in error.all {
                let message = what.map { "\($0): \(diagnostic)" } ?? "\(diagnostic)"
                report(message, at: leaf.place(of: diagnostic.range), fix: fix(for: diagnostic, in: leaf))
            }
            return nil
        }
    }

    /// Warns of time formats without `%`, which only match their own text: formats are not given by
    /// example.
    private mutating func warn(of program: CellProgram, _ leaf: Leaf) {
        for (format, range) in program.program.root.timeFormats where !format.contains("%") {
            report(
                "the time format '\(format)' has no '%', so it is only literal text", at: leaf.place(of: range),
                fix: "use directives, as in '%Y-%m-%d %H:%M:%S'", severity: .warning)
        }
    }

    /// Compiles an expression that must be a condition.
    package mutating func condition(_ leaf: Leaf) -> CellProgram? {
        guard let program = program(leaf) else { return nil }
        guard program.type == .bool || program.type == .dyn else {
            report(
                "must be true or false, but '\(leaf.text)' is of type \(program.type)", at: leaf.place,
                fix: "write a comparison, or call a function that returns a bool")
            return nil
        }
        return program
    }

    /// Reports names of fields that no record has here.
    package mutating func checkFields(_ leaves: [Leaf]) {
        guard case .known(let fields) = fields else { return }
        let names = fields.map(\.name)
        for leaf in leaves where !names.containsSame(as: leaf.text) {
            report("no such field '\(leaf.text)'\(didYouMean(leaf.text, among: names))", at: leaf.place, fix: Self.listed(names))
        }
    }

    private func fix(for diagnostic: SluiceCEL.Diagnostic, in leaf: Leaf) -> String? {
        if let advice = ExpressionAdvice.fix(for: diagnostic, in: leaf.text) { return advice }
        guard diagnostic.message.contains("no such field") else { return nil }
        if !leaf.isPlain, !leaf.text.contains(where: { !($0.isLetter || $0.isNumber || $0 == "_") }) {
            return "quote text within an expression: \"'\(leaf.text)'\""
        }
        guard case .known(let fields) = fields else { return nil }
        return Self.listed(fields.map(\.name))
    }

    private static func listed(_ names: [String]) -> String {
        names.isEmpty ? "there are no fields here" : "the fields here are: \(names.joined(separator: ", "))"
    }
}
