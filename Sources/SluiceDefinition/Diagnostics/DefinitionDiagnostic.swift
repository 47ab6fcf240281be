/// Something about a pipeline file that its writer should know before anything is read.
public struct DefinitionDiagnostic: Error, Hashable, Sendable {
    public enum Severity: Sendable {
        /// The pipeline cannot run.
        case error
        case warning
    }

    public var severity: Severity
    /// Names the thing and what is wrong with it: `keep 'errors': no such field 'statsu' (did you mean 'status'?)`.
    public var message: String
    /// `nil` for the file as a whole.
    public var place: Place?
    /// What to do about it, where the message does not say so already.
    public var fix: String?

    public init(_ message: String, at place: Place?, fix: String? = nil, severity: Severity = .error) {
        self.message = message
        self.place = place
        self.fix = fix
        self.severity = severity
    }
}
