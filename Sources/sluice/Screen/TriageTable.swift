import SluiceDefinition
import SluiceRecords

/// Prints groups of dead letters.
enum TriageTable {
    /// - Parameter width: the columns of a terminal.
    static func text(_ triage: DeadLetterTriage, of file: String, _ paint: Paint, width columns: Int? = nil) -> String {
        let groups = triage.sorted
        guard !groups.isEmpty else { return "\(file): no dead letters\n" }
        let letters = triage.count == 1 ? "1 dead letter" : "\(Figures.count(triage.count)) dead letters"
        var text = "\(file): \(letters) of \(groups.count == 1 ? "1 kind" : "\(Figures.count(groups.count)) kinds")\n"
        let width = groups.map { Figures.count($0.count).count }.max() ?? 0
        for group in groups {
            let count = Figures.count(group.count)
            let margin = String(repeating: " ", count: width - count.count + 2)
            text += "\n\(margin)\(paint.bold(count))  \(group.stage.printable)  \(paint.red(group.code.printable))\n"
            let indent = String(repeating: " ", count: width + 4)
            text += "\(indent)\(Figures.shortened(group.template, to: 200))\n"
            for letter in group.examples {
                let place = letter.file.map { "\($0)\(letter.line.map { ":\($0)" } ?? "")\(letter.offset.map { " (@\($0))" } ?? "")" }
                text += "\(indent)\(paint.dim(place?.printable ?? "derived by a stage"))\n"
                if letter.message != group.template { text += "\(indent)\(Figures.shortened(letter.message, to: 200))\n" }
                // The place leads to the whole record.
                let room = columns.map { min(200, max(16, $0 - indent.count - 2)) } ?? 200
                let shown = letter.fields.map { "fields: \($0)" } ?? "| \(String(decoding: letter.raw, as: UTF8.self))"
                text += "\(indent)\(Figures.shortened(shown, to: room + 2))\n"
            }
        }
        return Wrapping.wrapped(text, to: columns)
    }
}
