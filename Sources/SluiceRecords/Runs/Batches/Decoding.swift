import Sluice
import SluiceCEL

/// Bytes to rows at one place of the pipeline: the decoder, and tables of the right width that are
/// used again.
final class Decoding: Sendable {
    private let decoder: (any RecordDecoder)?
    private let columns: Int
    private let hasSpans: Bool
    private let tables = FreeList<RowTable>(most: 64)

    /// - Parameters:
    ///   - decoder: `nil` where records come as rows.
    ///   - columns: those of the decoder and those that stages fill.
    init(decoder: (any RecordDecoder)?, columns: Int, hasSpans: Bool) {
        self.decoder = decoder
        self.columns = columns
        self.hasSpans = hasSpans
    }

    /// A table with the frames decoded into it, a row each.
    func decode(_ frames: [Frame], of base: UnsafePointer<UInt8>) -> RowTable {
        let table = table(rows: frames.count)
        if !frames.isEmpty { decoder?.decode(frames, of: base, into: table) }
        return table
    }

    /// A table with all cells absent.
    func table(rows: Int) -> RowTable {
        let table = tables.take() ?? RowTable(columns: columns, hasSpans: hasSpans)
        table.prepare(rows: rows)
        return table
    }

    func giveBack(_ table: RowTable) {
        tables.give(table)
    }
}
