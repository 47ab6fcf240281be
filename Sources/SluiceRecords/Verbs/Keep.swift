public import Sluice
package import SluiceCEL

/// `keep`: passes the records for which an expression is true.
package struct Keep: FilterVerb {
    package static let declaration = Declaration(
        "keep", "passes the records for which the condition is true; the others are filtered", argument: .condition, example: "keep: status >= 500",
        elsewhere: ["filter", "where", "grep", "include", "having"])

    package static let keeps = true
    package let condition: CellProgram

    package init(_ condition: CellProgram) {
        self.condition = condition
    }
}

extension Records {
    /// Passes the records for which the expression is true; the others are filtered.
    ///
    /// - Parameters:
    ///   - condition: an expression; see docs/expressions.md.
    ///   - onError: what happens to a record for which the expression fails.
    public func keep(_ condition: String, name: String? = nil, onError: FailurePolicy = .deadLetter) -> Records {
        adding(Keep.self, name, onError: onError) { $0.argument(condition) }
    }
}
