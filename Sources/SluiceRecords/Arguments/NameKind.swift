/// The kinds of things that a pipeline file names, and the rules for their names.
package enum NameKind: String, Sendable, CaseIterable {
    case pipeline, stage, route, parameter

    /// A description of the rule, for messages and the reference.
    package var rule: String {
        switch self {
        case .pipeline: "letters, digits and '-'"
        case .stage, .route: "letters, digits, '-' and '_'"
        case .parameter: "letters, digits and '_', beginning with a letter"
        }
    }

    /// Names that are reserved.
    package var taken: [String] { self == .stage ? [SourceStage.name, SinkStage.name, Planning.routes, Planning.copies] : [] }

    /// The name of a sink in dead letters and reports.
    package static var sink: String { SinkStage.name }

    /// The name of the place where records divide.
    package static func split(intoRoutes: Bool) -> String { intoRoutes ? Planning.routes : Planning.copies }

    /// Whether the characters of a name are permitted. Ignores ``taken``.
    package func admits(_ text: String) -> Bool {
        let scalars = text.unicodeScalars
        guard let first = scalars.first else { return false }
        switch self {
        // It is part of the path of the state folder.
        case .pipeline:
            return first != "-" && scalars.count <= 100 && scalars.allSatisfy { $0.isASCIIAlphanumeric || $0 == "-" }
        case .stage, .route:
            return scalars.allSatisfy { $0.properties.isAlphabetic || $0.properties.numericType != nil || $0 == "-" || $0 == "_" }
        // So that expressions can use `params.name`.
        case .parameter:
            return !("0"..."9").contains(first) && scalars.allSatisfy { $0.isASCIIAlphanumeric || $0 == "_" }
        }
    }

    /// The rule as a regular expression of ECMA 262, as used by JSON Schema. It matches everything
    /// that ``admits(_:)`` accepts, but also other characters beyond ASCII.
    package var pattern: String {
        switch self {
        case .pipeline: "^[A-Za-z0-9][A-Za-z0-9-]{0,99}$"
        case .stage, .route: #"^[^\s!-,./:-@\[-^`{-~]+$"#
        case .parameter: "^[A-Za-z_][A-Za-z0-9_]*$"
        }
    }
}

extension Unicode.Scalar {
    fileprivate var isASCIIAlphanumeric: Bool {
        ("a"..."z").contains(self) || ("A"..."Z").contains(self) || ("0"..."9").contains(self)
    }
}
