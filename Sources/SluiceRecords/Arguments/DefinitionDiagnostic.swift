/// A problem of a pipeline's definition, found before anything is read.
package struct DefinitionDiagnostic: Error, Hashable, Sendable {
    package enum Severity: Sendable {
        /// The pipeline cannot run.
        case error
        case warning
    }

    package var severity: Severity
    /// The subject and the problem: `keep 'errors': no such field 'statsu' (did you mean
    /// 'status'?)`.
    package var message: String
    /// `nil` for the definition as a whole.
    package var place: TextPlace?
    /// What to do, if the message does not say so.
    package var fix: String?

    package init(_ message: String, at place: TextPlace?, fix: String? = nil, severity: Severity = .error) {
        self.message = message
        self.place = place
        self.fix = fix
        self.severity = severity
    }
}
