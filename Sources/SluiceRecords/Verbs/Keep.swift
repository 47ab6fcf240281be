public import Sluice
package import SluiceCEL

/// `keep`: the records for which an expression is true.
package struct Keep: Verb, EachStep {
    package static let declaration = Declaration(
        "keep", "passes the records for which it is true; the others are filtered", argument: .condition, example: "keep: status >= 500")

    private let condition: CellProgram

    package init(_ condition: CellProgram) {
        self.condition = condition
    }

    package init?(_ argument: Argument, options: Arguments, _ checking: inout Checking) {
        guard let condition = argument.leaf.flatMap({ checking.condition($0) }) else { return nil }
        self.init(condition)
    }

    package var leavesRecords: Bool { true }
    package var mentions: [String] { condition.fieldNames }

    package func bind(_ site: StageSite, _ binder: inout StageBinder) -> any EachStage {
        FilterStage(site: site, condition: BoundProgram(condition, in: site.fields), keeps: true)
    }
}

extension Records {
    /// Passes the records for which the expression is true; the others are filtered.
    ///
    /// - Parameters:
    ///   - condition: an expression of docs/expressions.md.
    ///   - onError: what becomes of a record that the expression fails on.
    public func keep(_ condition: String, name: String? = nil, onError: FailurePolicy = .deadLetter) -> Records {
        adding(Keep.self, name, onError: onError) { $0.argument(condition) }
    }
}
