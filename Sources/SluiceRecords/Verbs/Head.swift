import Sluice
import Synchronization

/// `head`: passes the first records and then ends the run successfully.
package struct Head: Verb {
    package static let declaration = Declaration(
        "head", "passes the first records; then the run ends successfully. In a route, it filters the others and the run goes on",
        argument: .integer(1...1_000_000_000_000),
        example: "head: 100", elsewhere: ["limit", "take", "first", "top"])

    private let count: Int

    package init(_ count: Int) {
        self.count = count
    }

    package init?(_ argument: Argument, options: Arguments, _ checking: inout Checking) {
        guard let count = argument.integer else { return nil }
        self.init(count)
    }

    package var mentions: [String] { [] }
    package var leavesRecords: Bool { true }
    package var dependence: Dependence { .others }

    package func makeStep(_ stage: RecordStage) -> Step { .ordered(HeadStep(count)) }
}

/// The state of `head` during a run: the number of records still wanted.
final class HeadStep: OrderedStep {
    private let left: Locked<Int>

    init(_ count: Int) {
        left = Locked(count)
    }

    var mayHaveEnough: Bool { true }

    func bind(_ site: StageSite, _ binder: inout StageBinder) -> any OrderedStage {
        HeadStage(step: self, site: site)
    }

    /// Takes at most `count` of the records still wanted.
    ///
    /// - Returns: the number of records taken, and whether more are wanted.
    fileprivate func take(_ count: Int) -> (Int, Flow) {
        left.withLock { left in
            let taken = min(left, count)
            left -= taken
            return (taken, left == 0 ? .enough : .more)
        }
    }

    /// The version, 1, and the number of records still wanted: eight bytes, little endian.
    func checkpoint() -> StageState {
        let left = left.withLock { UInt64($0) }
        return StageState(bytes: [1] + (0..<8).map { UInt8(truncatingIfNeeded: left >> (8 * $0)) })
    }

    func restore(_ state: StageState) throws(CheckpointError) {
        let state = state.bytes
        guard state.first == 1, state.count == 9 else { throw CheckpointError("not a state of 'head'") }
        let number = state.dropFirst().reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard let count = Int(exactly: number) else { throw CheckpointError("not a state of 'head': too many records") }
        left.withLock { $0 = count }
    }
}

/// `head`, bound to one place.
struct HeadStage: OrderedStage {
    let step: HeadStep
    let site: StageSite

    func run(_ batch: RecordBatch) -> Flow {
        let received = batch.rows.count
        let (taken, flow) = step.take(received)
        if flow == .enough, taken > 0, site.mayEndRun {
            batch.end(afterRows: taken, at: site.index)
        } else {
            // The run continues, but no more records pass.
            batch.rows.removeLast(received - taken)
            batch.counts[site.index] = StageCounts(in: received, out: taken, filtered: received - taken)
        }
        return flow
    }
}

extension Records {
    /// Passes the first records, then ends the run successfully without reading further.
    ///
    /// - Parameter count: at least 1.
    public func head(_ count: Int, name: String? = nil) -> Records {
        precondition(count > 0, "'head' needs at least one record, not \(count)")
        return adding(Head.self, name) { .integer(count, $0.place) }
    }
}
