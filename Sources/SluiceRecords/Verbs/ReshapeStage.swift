import Sluice
import SluiceCEL

/// The common part of `select` and `remove`: names of fields, and what happens to the shape of
/// records.
package protocol FieldListVerb: Verb, EachStep {
    var names: [String] { get }
    init(_ names: [String])
    func change(_ fields: inout Schema)
    func change(_ shape: inout Shape)
}

extension FieldListVerb {
    package init?(_ argument: Argument, options: Arguments, _ checking: inout Checking) {
        guard let leaves = argument.leaves else { return nil }
        checking.checkFields(leaves)
        self.init(leaves.map(\.text))
        change(&checking.fields)
    }

    package var mentions: [String] { names }

    package func bind(_ site: StageSite, _ binder: inout StageBinder) -> any EachStage {
        change(&binder.shape)
        return ReshapeStage(site: site)
    }
}

/// `select`, `remove` and `rename`, bound to one place. The plan has changed the shape, so records
/// need no work, except if a renamed field and an existing one of the new name must be merged.
struct ReshapeStage: EachStage {
    struct Merge: Sendable {
        var first: Int
        var second: Int
        var into: Int
    }

    let site: StageSite
    var merges: [Merge] = []

    func run(_ batch: RecordBatch) throws {
        batch.counts[site.index].in += batch.rows.count
        batch.counts[site.index].out += batch.rows.count
        guard !merges.isEmpty else { return }
        for row in batch.rows {
            let cells = batch.table.row(Int(row))
            for merge in merges {
                cells[merge.into] = cells[merge.first].kind == .absent ? cells[merge.second] : cells[merge.first]
            }
        }
    }
}
