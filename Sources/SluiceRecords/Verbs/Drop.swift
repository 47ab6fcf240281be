public import Sluice
package import SluiceCEL

/// `drop`: passes all records except those for which an expression is true.
package struct Drop: FilterVerb {
    package static let declaration = Declaration(
        "drop", "passes the records for which the condition is false; the others are filtered", argument: .condition,
        example: "drop: path.startsWith('/health')",
        elsewhere: ["exclude", "reject", "discard", "filter_out"])

    package static let keeps = false
    package let condition: CellProgram

    package init(_ condition: CellProgram) {
        self.condition = condition
    }
}

extension Records {
    /// Passes the records for which the expression is false; the others are filtered. Otherwise
    /// like ``keep(_:name:onError:)``.
    public func drop(_ condition: String, name: String? = nil, onError: FailurePolicy = .deadLetter) -> Records {
        adding(Drop.self, name, onError: onError) { $0.argument(condition) }
    }
}
