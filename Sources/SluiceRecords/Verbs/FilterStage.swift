package import SluiceCEL

/// The common part of `keep` and `drop`: a condition, and which records pass.
package protocol FilterVerb: Verb, EachStep {
    /// The value of the condition for which a record passes.
    static var keeps: Bool { get }
    var condition: CellProgram { get }
    init(_ condition: CellProgram)
}

extension FilterVerb {
    package init?(_ argument: Argument, options: Arguments, _ checking: inout Checking) {
        guard let condition = argument.leaf.flatMap({ checking.condition($0) }) else { return nil }
        self.init(condition)
    }

    package var leavesRecords: Bool { true }
    package var mentions: [String] { condition.fieldNames }

    package func bind(_ site: StageSite, _ binder: inout StageBinder) -> any EachStage {
        FilterStage(site: site, condition: BoundProgram(condition, in: site.fields), keeps: Self.keeps)
    }
}

/// `keep` and `drop`, bound to one place.
struct FilterStage: EachStage {
    let site: StageSite
    let condition: BoundProgram
    /// The value of the condition for which a record passes.
    let keeps: Bool

    func run(_ batch: RecordBatch) throws {
        let evaluate = condition.evaluation(over: batch)
        try site.sift(batch) { (row) throws(RecordFailure) in
            guard let holds = evaluate.test(row) else { throw condition.failure(row, of: batch) }
            return holds == keeps
        }
    }
}
