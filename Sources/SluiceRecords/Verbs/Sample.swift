public import Sluice
import SluiceCEL

/// `sample`: passes a share of the records, the same ones in every run.
package struct Sample: Verb, EachStep {
    package static let declaration = Declaration(
        "sample", "passes a share of the records, the same ones on every run; the others are filtered",
        argument: .keys([
            ArgumentKey("share", .text, isRequired: true, example: "share: 1%", "the share: a number between 0 and 1, or a percentage"),
            ArgumentKey(
                "by", .short(.list(.expression), for: "by", in: []), example: "by: user",
                "records with equal values pass or fail together; by default the choice depends on a record's position in the input"),
        ]),
        example: "sample: {share: 1%, by: user}",
        elsewhere: ["random", "bootstrap", "subsample"])

    private let share: Double
    private let by: [CellProgram]

    package init?(_ argument: Argument, options: Arguments, _ checking: inout Checking) {
        guard let keys = argument.keys, let leaf = keys["share"]?.leaf, leaf.isComplete else { return nil }
        guard let share = Self.share(leaf.text) else {
            checking.report("'share' must be between 0 and 1, or between 0% and 100%, not '\(leaf.text)'", at: leaf.place, fix: "write 'share: 1%'")
            return nil
        }
        let leaves = keys["by"]?.leaves ?? []
        let by = leaves.compactMap { checking.program($0, "'by'") }
        guard by.count == leaves.count else { return nil }
        self.share = share
        self.by = by
    }

    private static func share(_ text: String) -> Double? {
        let isPercent = text.hasSuffix("%")
        guard let number = Double(isPercent ? String(text.dropLast()) : text), number.isFinite else { return nil }
        let share = isPercent ? number / 100 : number
        return (0...1).contains(share) ? share : nil
    }

    package var mentions: [String] { by.flatMap(\.fieldNames) }
    package var leavesRecords: Bool { true }
    package var dependence: Dependence { by.isEmpty ? .others : .record }

    package func bind(_ site: StageSite, _ binder: inout StageBinder) -> any EachStage {
        SampleStage(site: site, share: share, by: by.map { BoundProgram($0, in: site.fields) })
    }
}

/// `sample`, bound to one place: a record passes if its hash, as a number between 0 and 1, is below
/// the share.
struct SampleStage: EachStage {
    let site: StageSite
    let share: Double
    let by: [BoundProgram]

    func run(_ batch: RecordBatch) throws {
        guard !by.isEmpty else {
            return try site.sift(batch) { (row) throws(RecordFailure) in passes(Self.hash(batch.place(ofRow: row))) }
        }
        let hasher = KeyHasher(by, batch, .fixed)
        try site.sift(batch) { (row) throws(RecordFailure) in passes(try hasher.hash(row).high) }
    }

    private func passes(_ hash: UInt64) -> Bool { Double(hash >> 11) * 0x1p-53 < share }

    private static func hash(_ place: RecordPlace) -> UInt64 {
        SipHash.fixed.hash(UInt64(place.input) << 32 | UInt64(place.part), place.offset).high
    }
}

extension Records {
    /// Passes a share of the records, the same ones in every run.
    ///
    /// - Parameters:
    ///   - share: between 0 and 1.
    ///   - by: expressions; records with equal values pass together or not at all. By default, each
    ///     record is sampled by its position in the input.
    ///   - onError: what happens to a record for which an expression fails.
    public func sample(_ share: Double, by expressions: [String] = [], name: String? = nil, onError: FailurePolicy = .deadLetter) -> Records {
        precondition((0...1).contains(share), "a share is between 0 and 1, not \(share)")
        return adding(Sample.self, name, onError: onError) { script in
            var arguments = ["share": script.argument("\(share)")]
            if !expressions.isEmpty { arguments["by"] = script.argument(expressions) }
            return .keys(Arguments(arguments))
        }
    }
}
