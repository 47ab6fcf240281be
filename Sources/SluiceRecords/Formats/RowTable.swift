package import SluiceCEL

/// Where one member of a JSON object stands, as bytes after the record's first: `"key" : value`,
/// from the key's quote to the value's end.
@frozen
package struct MemberSpan: BitwiseCopyable, Sendable {
    package var start: UInt32
    package var value: UInt32
    package var end: UInt32

    package static var none: MemberSpan { MemberSpan(start: 0, value: 0, end: 0) }
    /// A member never ends at byte 0.
    package var isPresent: Bool { end != 0 }

    @inlinable
    package init(start: UInt32, value: UInt32, end: UInt32) {
        self.start = start
        self.value = value
        self.end = end
    }
}

/// What a decoder found in the records of one batch: a row of cells for each record, a cell for
/// each column.
///
/// Unsafe memory lives here: `cells` and `spans` have room for `rows * columns` from
/// ``prepare(rows:)`` on. Row-major, so that a row's cells are what `Program.evaluate` takes. Used
/// again from batch to batch, by one job at a time: accesses need no check for exclusivity at run
/// time.
package final class RowTable {
    @frozen
    package enum Outcome: UInt8, Sendable {
        case decoded
        /// Nothing but white space: left out, and counted.
        case blank
        /// See ``RowTable/failures``.
        case failed
        /// Decoded; a JSON object that names a member twice. The cell holds the last of them, the
        /// span the first.
        case duplicated
    }

    package struct Failure: Sendable {
        package var row: Int
        /// Dotted and stable: `parse.jsonl`.
        package var code: String
        package var message: String

        package init(row: Int, code: String, message: String) {
            self.row = row
            self.code = code
            self.message = message
        }
    }

    /// Cells in a row: the decoder's columns from 0, then those that stages fill; these are absent
    /// until then.
    package let columns: Int
    /// Whether ``spans`` are wanted.
    package let hasSpans: Bool
    @exclusivity(unchecked) package private(set) var rows = 0
    @exclusivity(unchecked) package private(set) var cells: UnsafeMutablePointer<Cell>
    @exclusivity(unchecked) package private(set) var spans: UnsafeMutablePointer<MemberSpan>
    package var outcomes: [Outcome] = []
    package var failures: [Failure] = []
    /// Where unescaped text goes.
    package let text = TextArena()
    private var capacity = 0

    package init(columns: Int, hasSpans: Bool) {
        self.columns = columns
        self.hasSpans = hasSpans
        cells = .allocate(capacity: 1)
        spans = .allocate(capacity: 1)
    }

    deinit {
        cells.deallocate()
        spans.deallocate()
    }

    /// Makes room for `rows` rows, all cells absent and all outcomes `decoded`; forgets what was
    /// there.
    package func prepare(rows: Int) {
        let wanted = max(1, rows * columns)
        if wanted > capacity {
            cells.deallocate()
            spans.deallocate()
            cells = .allocate(capacity: wanted)
            spans = .allocate(capacity: hasSpans ? wanted : 1)
            capacity = wanted
        }
        cells.initialize(repeating: .absent, count: wanted)
        spans.initialize(repeating: .none, count: hasSpans ? wanted : 1)
        outcomes.removeAll(keepingCapacity: true)
        outcomes.append(contentsOf: repeatElement(.decoded, count: rows))
        failures.removeAll(keepingCapacity: true)
        text.reset()
        self.rows = rows
    }

    @inline(__always)
    package func row(_ index: Int) -> UnsafeMutablePointer<Cell> { cells + index * columns }

    @inline(__always)
    package func rowSpans(_ index: Int) -> UnsafeMutablePointer<MemberSpan> { spans + index * columns }

    package func fail(_ row: Int, _ code: String, _ message: String) {
        outcomes[row] = .failed
        failures.append(Failure(row: row, code: code, message: message))
    }
}

/// Bytes to fields, for one format and the columns that one pipeline asks for. Immutable: shared by
/// all workers.
///
/// 64 bytes after every record must be readable, whatever they hold: those of a ``Batch`` and of a
/// `TextArena` are.
package protocol RecordDecoder: Sendable {
    /// Decodes one record: fills row `row` of the table, or fails it, or finds it blank. Checks the
    /// whole record, also what no column asks for. Cells may point into `text` and into the table's
    /// arena.
    func decode(_ text: UnsafeBufferPointer<UInt8>, row: Int, into table: RowTable)

    /// Decodes row *i* from frame *i* of bytes that begin at `base`. The same as
    /// `decode(_:row:into:)` for each, without a dynamic call per record.
    func decode(_ frames: [Frame], of base: UnsafePointer<UInt8>, into table: RowTable)
}
