import Sluice
import SluiceCEL

/// Decodes the batches of one segment: the decoder, and a free list of tables of the right width.
final class Decoding: Sendable {
    private let decoder: (any RecordDecoder)?
    private let columns: Int
    private let hasSpans: Bool
    private let tables = FreeList<RowTable>(most: 64)

    /// - Parameters:
    ///   - decoder: `nil` where records come as rows.
    ///   - columns: the number of columns, both the decoder's and those that stages fill.
    init(decoder: (any RecordDecoder)?, columns: Int, hasSpans: Bool) {
        self.decoder = decoder
        self.columns = columns
        self.hasSpans = hasSpans
    }

    /// Decodes the frames into a table, one row per frame.
    func decode(_ frames: [Frame], of base: UnsafePointer<UInt8>) -> RowTable {
        let table = table(rows: frames.count)
        if !frames.isEmpty { decoder?.decode(frames, of: base, into: table) }
        return table
    }

    /// Returns a table whose cells are all absent.
    func table(rows: Int) -> RowTable {
        let table = tables.take() ?? RowTable(columns: columns, hasSpans: hasSpans)
        table.prepare(rows: rows)
        return table
    }

    func giveBack(_ table: RowTable) {
        tables.give(table)
    }
}
