import SluiceCEL

/// Makes records from the rows at one place of a pipeline, for closures.
struct RecordMaking: Sendable {
    private let fields: RecordFields
    /// Fields computed by stages: the record's own bytes have no value or an old one for them.
    private let computed: [(name: String, column: Int)]
    /// Unchanged fields of JSON records, which an earlier closure may have given a type that JSON
    /// does not have.
    private let decoded: [(name: String, column: Int)]

    init(_ fields: RecordFields) {
        self.fields = fields
        let shape = fields.shape
        guard shape.base == .json else {
            (computed, decoded) = ([], [])
            return
        }
        var computed = shape.written.map { ($0.key, $0.column) }
        var decoded = shape.baseColumns.map { ($0.key.text, $0.value) }.filter { shape.column(of: $0.0) == $0.1 }
        for member in shape.members {
            switch member.fate {
            case .replace(let key, let column): computed.append((key, column))
            case .rename(let key): decoded += shape.column(of: key).map { [(key, $0)] } ?? []
            default: break
            }
        }
        (self.computed, self.decoded) = (computed, decoded)
    }

    /// A table in which to decode a record completely, if stages have not asked for all its fields;
    /// else `nil`.
    func spareTable() -> RowTable? {
        guard fields.shape.written.contains(where: { $0.column == Shape.undecoded }) else { return nil }
        return fields.complete.map { RowTable(columns: $0.names.count, hasSpans: false) }
    }

    /// - Parameter spare: a result of ``spareTable()``, for use with one batch.
    func record(_ row: Int, of batch: RecordBatch, spare: RowTable?) throws(RecordFailure) -> Record {
        do throws(EvaluationError) {
            return fields.shape.base == .json ? try jsonRecord(row, of: batch) : try otherRecord(row, of: batch, spare: spare)
        } catch {
            throw RecordFailure(code: "expression.\(error.code.rawValue)", message: error.message)
        }
    }

    private func jsonRecord(_ row: Int, of batch: RecordBatch) throws(EvaluationError) -> Record {
        let text = fields.json(row, of: batch)
        let value = try text.withFilled { text in Result(catching: { () throws(EvaluationError) in try JSONReader().value(ofJSON: text) }) }.get()
        guard case .map(let map) = value else { throw EvaluationError(.type, "a record must be a JSON object") }
        let members = map.entries.map { Record.Field(name: $0.key.text, value: $0.value, isChanged: false) }
        var record = Record(fields: members, text: text, source: source(of: row, in: batch))
        let cells = batch.table.row(row)
        for (name, column) in computed where cells[column].kind != .absent {
            record.take(try self.value(cells[column], batch.scratch), as: name)
        }
        for (name, column) in decoded where cells[column].isBeyondJSON {
            record.take(try self.value(cells[column], batch.scratch), as: name)
        }
        return record
    }

    private func otherRecord(_ row: Int, of batch: RecordBatch, spare: RowTable?) throws(EvaluationError) -> Record {
        let cells = batch.table.row(row)
        if let spare, let complete = fields.complete {
            spare.prepare(rows: 1)
            complete.decoder.decode(batch.text(row), row: 0, into: spare)
        }
        var made: [Record.Field] = []
        for field in fields.shape.written where field.unless.map({ cells[$0].kind == .absent }) ?? true {
            let cell: Cell
            if field.column != Shape.undecoded {
                cell = cells[field.column]
            } else if let spare, let index = fields.complete.flatMap({ field.key.index(in: $0.names) }) {
                cell = spare.row(0)[index]
            } else {
                continue
            }
            guard cell.kind != .absent else { continue }
            made.append(Record.Field(name: field.key, value: try value(cell, batch.scratch), isChanged: true))
        }
        return Record(fields: made, text: nil, source: source(of: row, in: batch))
    }

    private func value(_ cell: Cell, _ scratch: Scratch) throws(EvaluationError) -> Value {
        let value = try scratch.value(of: cell)
        if case .optional(let wrapped) = value { return wrapped ?? .null }
        return value
    }

    private func source(of row: Int, in batch: RecordBatch) -> Record.Source? {
        guard let name = fields.name(of: batch), let position = batch.position(ofRow: row) else { return nil }
        return Record.Source(
            file: name.text, line: position.line, offset: position.offset, member: position.member)
    }
}

extension Cell {
    /// Whether it has a type that JSON does not have, so that its text reads back as another.
    fileprivate var isBeyondJSON: Bool {
        switch kind {
        case .timestamp, .duration, .bytes, .boxed: true
        default: false
        }
    }
}

extension Value {
    /// The text of a map's key.
    fileprivate var text: String { if case .string(let text) = self { text } else { description } }
}
