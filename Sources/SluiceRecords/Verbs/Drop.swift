public import Sluice
package import SluiceCEL

/// `drop`: all records but those for which an expression is true.
package struct Drop: Verb, EachStep {
    package static let declaration = Declaration(
        "drop", "passes the records for which it is false; the others are filtered", argument: .condition, example: "drop: path.startsWith('/health')")

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
        FilterStage(site: site, condition: BoundProgram(condition, in: site.fields), keeps: false)
    }
}

extension Records {
    /// Passes the records for which the expression is false; the others are filtered. Else as
    /// ``keep(_:name:onError:)``.
    public func drop(_ condition: String, name: String? = nil, onError: FailurePolicy = .deadLetter) -> Records {
        adding(Drop.self, name, onError: onError) { $0.argument(condition) }
    }
}
