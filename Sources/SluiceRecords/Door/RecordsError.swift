/// Why records were not read, or not published.
public enum RecordsError: Error, Sendable, CustomStringConvertible {
    /// The definition has errors: all of them. Nothing was read.
    case invalid([Problem])
    /// The run failed for this reason and published nothing. The report tells how far it came.
    case failed(String, RunReport)
    /// The run could not begin, or its report could not be written, for this reason. Nothing was
    /// published.
    case noReport(String)

    /// An error in a definition.
    public struct Problem: Sendable, Hashable {
        /// The stage and the problem: `keep 'errors': no such field 'statsu' (did you mean
        /// 'status'?)`.
        public var message: String
        /// The text at fault, such as an expression, if there is one.
        public var text: String?
        /// The part of ``text`` at fault, in Unicode scalars.
        public var range: Range<Int>?
        /// What to do, if the message does not say so.
        public var fix: String?
    }

    /// The problems, one after the other, or the reason.
    public var description: String {
        switch self {
        case .invalid(let problems): problems.map(\.description).joined(separator: "\n")
        case .failed(let reason, _), .noReport(let reason): reason
        }
    }
}

extension RecordsError.Problem: CustomStringConvertible {
    /// The message, the text with the part at fault underlined, and the fix.
    public var description: String {
        var lines = [message]
        if let text, let range {
            let scalars = Array(text.unicodeScalars)
            let start = scalars[..<range.lowerBound].lastIndex(of: "\n").map { $0 + 1 } ?? 0
            let end = scalars[range.lowerBound...].firstIndex(of: "\n") ?? scalars.count
            var line = String.UnicodeScalarView()
            line.append(contentsOf: scalars[start..<end])
            let indent = String(repeating: " ", count: range.lowerBound - start)
            let width = max(1, min(range.upperBound, end) - range.lowerBound)
            lines += ["  \(String(line))", "  \(indent)^\(String(repeating: "~", count: width - 1))"]
        }
        if let fix { lines.append("  fix: \(fix)") }
        return lines.joined(separator: "\n")
    }
}

extension RecordsError.Problem {
    init(_ diagnostic: DefinitionDiagnostic, in script: Script) {
        let part = diagnostic.place.flatMap { script.part(at: $0) }
        self.init(message: diagnostic.message, text: part?.text, range: part?.range, fix: diagnostic.fix)
    }
}
