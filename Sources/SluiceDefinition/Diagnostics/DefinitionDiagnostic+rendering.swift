internal import SluiceRecords

extension DefinitionDiagnostic {
    /// Formats the diagnostic for a terminal: place and message, the line with a caret below the
    /// text at fault, and the fix.
    ///
    ///     pipelines/web.yaml:14:9: keep 'errors': no such field 'statsu' (did you mean 'status'?)
    ///       14 |   - keep: statsu >= 500
    ///          |           ^~~~~~
    ///       fix: …
    func rendered(path: String, source: SourceText, colored: Bool) -> String {
        let paint = Paint(isOn: colored)
        let label = severity == .warning ? paint.yellow("warning: ") : ""
        let (path, message, fix) = (path.printable, message.printable, fix?.printable)
        guard let place else {
            return "\(paint.bold("\(path):")) \(label)\(message)\n" + (fix.map { "  fix: \($0)\n" } ?? "")
        }
        let start = place.start
        let excerpt = LineExcerpt(source.line(start.line), column: start.column)
        let line = excerpt.text
        let number = String(start.line)
        let margin = String(repeating: " ", count: number.count)
        var indent = String.UnicodeScalarView()
        indent.append(contentsOf: line.unicodeScalars.prefix(excerpt.column - 1).map { $0 == "\t" ? "\t" : " " })
        let width = max(1, min(place.length, line.unicodeScalars.count - excerpt.column + 1))
        let caret = "^" + String(repeating: "~", count: width - 1)
        var text = "\(paint.bold("\(path):\(start.line):\(start.column):")) \(label)\(message)\n"
        text += "  \(number) | \(line)\n"
        text += "  \(margin) | \(String(indent))\(severity == .warning ? paint.yellow(caret) : paint.red(caret))\n"
        if let fix { text += "  fix: \(fix)\n" }
        return text
    }
}
