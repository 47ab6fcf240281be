import SluiceCEL

/// The fields at one place of the pipeline: writes a record out, and names records and fields in
/// messages.
package struct RecordFields: Sendable {
    package let shape: Shape
    /// The format that the records are decoded with; `nil` where they come as rows.
    let format: (any Format)?
    /// Whether the bytes of every record are one line.
    let isLine: Bool
    /// Decodes every field of a record that is not JSON: needed where a whole record is written but
    /// not all its fields were asked for.
    let complete: CompleteDecoder?
    /// The names of the run's inputs.
    let inputs: [InputName]
    /// For JSON records.
    private let rewrite: JSONRewrite
    /// For records of other formats.
    private let written: JSONFields

    init(shape: Shape, format: (any Format)?, isLine: Bool, complete: CompleteDecoder?, inputs: [InputName]) {
        self.shape = shape
        self.format = format
        self.isLine = isLine
        self.complete = complete
        self.inputs = inputs
        rewrite = JSONRewrite(members: shape.members, passesRest: shape.passesRest, additions: shape.written)
        written = JSONFields(shape.written)
    }

    /// A decoder for all fields of a format with a fixed schema.
    struct CompleteDecoder: Sendable {
        var decoder: any RecordDecoder
        var names: [String]
    }

    /// The name of an input, at an address that cells can point to for the lifetime of the plan.
    ///
    /// Unsafe memory: allocated in `init`, freed in `deinit`, never written in between.
    final class InputName: Sendable {
        let text: String
        private let count: Int
        private let address: UInt

        init(_ text: String) {
            self.text = text
            let bytes = Array(text.utf8)
            count = bytes.count
            let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: max(1, count))
            memory.update(from: bytes, count: count)
            address = UInt(bitPattern: memory)
        }

        deinit {
            UnsafeMutablePointer<UInt8>(bitPattern: address)?.deallocate()
        }

        var cell: Cell { Cell(kind: .string, payload: UInt64(address), count: UInt32(count)) }
    }

    /// The name of the batch's input; null after a closing stage, where records belong to no input.
    func fileName(of batch: RecordBatch) -> Cell {
        name(of: batch)?.cell ?? .null
    }

    /// The name of the batch's input; `nil` after a closing stage.
    func name(of batch: RecordBatch) -> InputName? {
        batch.input.map { batch.source.name ?? inputs[$0] }
    }

    /// Writes the record as a JSON object with its current fields, from the columns that the plan
    /// asked for.
    func write(_ row: Int, of batch: RecordBatch, to buffer: ByteBuffer) {
        let cells = batch.table.row(row)
        guard shape.base == .other else {
            if shape.isUntouched {
                // The next reader may take the first of equal keys; the stages took the last.
                if batch.table.outcomes[row] == .duplicated { return JSONMembers.writeUnique(batch.text(row), to: buffer) }
                return buffer.append(JSONMembers.trimmed(batch.text(row)))
            }
            return rewrite.write(
                batch.text(row), batch.table.outcomes[row], batch.table.rowSpans(row), cells, batch.scratch, to: buffer)
        }
        written.write(cells, batch.scratch, to: buffer)
    }

    /// The record as a JSON object, followed by readable padding, in memory that lives as long as
    /// the batch.
    ///
    /// - Parameter buffer: any buffer, which is left as it was.
    func object(_ row: Int, of batch: RecordBatch, using buffer: ByteBuffer) -> UnsafeBufferPointer<UInt8> {
        if shape.base == .json, shape.isUntouched, batch.table.outcomes[row] != .duplicated { return batch.text(row) }
        let start = buffer.count
        write(row, of: batch, to: buffer)
        let written = UnsafeBufferPointer(rebasing: buffer.filled[start...])
        buffer.count = start
        return UnsafeBufferPointer(start: batch.scratch.text.copy(written), count: written.count)
    }

    /// The record as a JSON object with all its fields, including those that no stage asked for.
    /// Slow: it may decode the record again.
    func json(_ row: Int, of batch: RecordBatch) -> ByteBuffer {
        let buffer = ByteBuffer(capacity: 512)
        if let complete, shape.written.contains(where: { $0.column == Shape.undecoded }) {
            writeCompletely(row, of: batch, with: complete, to: buffer)
        } else {
            write(row, of: batch, to: buffer)
        }
        return buffer
    }

    /// The value of `record` in an expression: the whole record as JSON text in the batch's memory.
    func wholeRecord(_ row: Int, of batch: RecordBatch) -> Cell {
        if shape.base == .json, shape.isUntouched, let start = batch.text(row).baseAddress {
            return .text(.json, start, count: batch.text(row).count)
        }
        return json(row, of: batch).withFilled { batch.scratch.text(.json, copying: $0) }
    }

    private func writeCompletely(_ row: Int, of batch: RecordBatch, with complete: CompleteDecoder, to buffer: ByteBuffer) {
        let table = RowTable(columns: complete.names.count, hasSpans: false)
        table.prepare(rows: 1)
        complete.decoder.decode(batch.text(row), row: 0, into: table)
        var object = JSONObjectWriter(buffer)
        for field in shape.written where field.unless.map({ batch.table.row(row)[$0].kind == .absent }) ?? true {
            if field.column != Shape.undecoded {
                object.write(field.key, batch.table.row(row)[field.column], batch.scratch)
            } else if let index = field.key.index(in: complete.names) {
                object.write(field.key, table.row(0)[index], batch.scratch)
            }
        }
        object.end()
    }

    /// The name of a field of the record that is close to the one quoted in the message.
    func nearestName(to message: String, _ row: Int, of batch: RecordBatch) -> String? {
        let parts = message.split(separator: "'", omittingEmptySubsequences: false)
        guard parts.count >= 3 else { return nil }
        return Spelling.nearest(to: String(parts[1]), among: json(row, of: batch).withFilled(JSONMembers.names))
    }
}
