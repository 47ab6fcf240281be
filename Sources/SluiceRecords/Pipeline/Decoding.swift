import SluiceCEL

/// Bytes to rows at one place of the pipeline: the decoder, and tables of the right width that are used again.
final class Decoding: Sendable {
    let decoder: any RecordDecoder
    private let columns: Int
    private let hasSpans: Bool
    private let tables = FreeList<RowTable>(most: 64)

    /// - Parameter columns: those of the decoder and those that stages fill.
    init(decoder: any RecordDecoder, columns: Int, hasSpans: Bool) {
        self.decoder = decoder
        self.columns = columns
        self.hasSpans = hasSpans
    }

    /// A table with the frames decoded into it, a row each.
    func decode(_ frames: [Frame], of base: UnsafePointer<UInt8>) -> RowTable {
        let table = tables.take() ?? RowTable(columns: columns, hasSpans: hasSpans)
        table.prepare(rows: frames.count)
        decoder.decode(frames, of: base, into: table)
        return table
    }

    func giveBack(_ table: RowTable) {
        tables.give(table)
    }
}
