package import SluiceCEL

/// The position of a member in a JSON object, as offsets from the record's first byte: `"key" :
/// value`, from the key's quote to the value's end.
@frozen
package struct MemberSpan: BitwiseCopyable, Sendable {
    package var start: UInt32
    package var value: UInt32
    package var end: UInt32

    package static var none: MemberSpan { MemberSpan(start: 0, value: 0, end: 0) }
    /// A member never ends at offset 0.
    package var isPresent: Bool { end != 0 }

    @inlinable
    package init(start: UInt32, value: UInt32, end: UInt32) {
        self.start = start
        self.value = value
        self.end = end
    }
}

/// The decoded records of a batch: a row for each record, with a cell for each column.
///
/// Unsafe memory lives here: `cells` and `spans` have room for `rows * columns` elements once
/// ``prepare(rows:)`` was called. Row-major, so that the cells of a row are what `Program.evaluate`
/// takes. Reused from batch to batch by one job at a time, so accesses need no exclusivity checks
/// at run time.
package final class RowTable {
    @frozen
    package enum Outcome: UInt8, Sendable {
        case decoded
        /// Only white space: filtered, and counted.
        case blank
        /// See ``RowTable/failures``.
        case failed
        /// Decoded, but the JSON object has a duplicate name. The cell has the last value, the span
        /// is that of the first.
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

    /// The number of cells in a row: the decoder's columns from 0, then those that stages fill,
    /// which are absent until then.
    package let columns: Int
    /// Whether ``spans`` are filled in.
    package let hasSpans: Bool
    @exclusivity(unchecked) package private(set) var rows = 0
    @exclusivity(unchecked) package private(set) var cells: UnsafeMutablePointer<Cell>
    @exclusivity(unchecked) package private(set) var spans: UnsafeMutablePointer<MemberSpan>
    package var outcomes: [Outcome] = []
    package var failures: [Failure] = []
    /// Storage for unescaped text.
    package let text = TextArena()
    /// The JSON objects that records were rewritten as, in formats that do so: see
    /// ``RecordRewriter``.
    package private(set) var objects: RewrittenObjects?
    private var capacity = 0

    package init(columns: Int, hasSpans: Bool) {
        self.columns = columns
        self.hasSpans = hasSpans
        cells = Memory.allocate(1)
        spans = Memory.allocate(1)
    }

    deinit {
        Memory.free(cells)
        Memory.free(spans)
    }

    /// Clears the table and makes room for `rows` rows, with all cells absent and all outcomes
    /// `decoded`.
    package func prepare(rows: Int) {
        let wanted = max(1, rows * columns)
        if wanted > capacity {
            Memory.free(cells)
            Memory.free(spans)
            cells = Memory.allocate(wanted)
            spans = Memory.allocate(hasSpans ? wanted : 1)
            capacity = wanted
        }
        self.rows = rows
        objects?.reset()
        clearRows()
    }

    /// Makes all cells absent and all outcomes `decoded` again.
    func clearRows() {
        let wanted = max(1, rows * columns)
        cells.initialize(repeating: .absent, count: wanted)
        spans.initialize(repeating: .none, count: hasSpans ? wanted : 1)
        outcomes.removeAll(keepingCapacity: true)
        outcomes.append(contentsOf: repeatElement(.decoded, count: rows))
        failures.removeAll(keepingCapacity: true)
        text.reset()
    }

    /// Makes the row's cells absent and its outcome `decoded` again.
    func clear(_ row: Int) {
        self.row(row).update(repeating: .absent, count: columns)
        if hasSpans { rowSpans(row).update(repeating: .none, count: columns) }
        outcomes[row] = .decoded
    }

    /// The objects to be filled in by the next call of a decoder.
    func beginObjects() -> RewrittenObjects {
        let objects = objects ?? RewrittenObjects()
        objects.reset()
        self.objects = objects
        return objects
    }

    @inline(__always)
    package func row(_ index: Int) -> UnsafeMutablePointer<Cell> { cells + index * columns }

    @inline(__always)
    package func rowSpans(_ index: Int) -> UnsafeMutablePointer<MemberSpan> { spans + index * columns }

    /// Fails records that were decoded, or that have failed for a lesser reason.
    func refuse(_ refused: [Failure]) {
        let rows = Set(refused.map(\.row))
        failures.removeAll { rows.contains($0.row) }
        for failure in refused {
            for column in 0..<columns { row(failure.row)[column] = .absent }
            if hasSpans { for column in 0..<columns { rowSpans(failure.row)[column] = .none } }
            fail(failure.row, failure.code, failure.message)
        }
    }

    package func fail(_ row: Int, _ code: String, _ message: String) {
        outcomes[row] = .failed
        failures.append(Failure(row: row, code: code, message: message))
    }
}

/// Decodes bytes to fields, for one format and the columns that a pipeline asks for. Immutable and
/// shared by all workers.
///
/// 64 bytes after every record must be readable, whatever they contain, as in a ``Batch`` and a
/// `TextArena`.
package protocol RecordDecoder: Sendable {
    /// Decodes one record: fills row `row` of the table, or marks it as failed or blank. Validates
    /// the whole record, whatever columns are asked for. Cells may point into `text` and into the
    /// table's arena.
    func decode(_ text: UnsafeBufferPointer<UInt8>, row: Int, into table: RowTable)

    /// Decodes row *i* from frame *i*, in bytes that begin at `base`. Equivalent to
    /// `decode(_:row:into:)` for each frame, without a dynamic call per record.
    func decode(_ frames: [Frame], of base: UnsafePointer<UInt8>, into table: RowTable)
}
