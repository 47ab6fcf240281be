import Sluice
import SluiceCEL

/// `select`, `remove` and `rename` at work: the plan has changed the shape, so that there is
/// nothing to do for a record but, where a renamed field meets one that already has the name, to
/// find out which of the two the record has.
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
