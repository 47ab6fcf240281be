import SluiceCEL

/// One text field of a record, decoded with a format of its own.
struct FieldParser: Sendable {
    let field: String
    /// Where the field is; `nil` where no record has it.
    let column: Int?
    let decoder: any RecordDecoder
    /// The decoder's columns; none for a format whose fields are known only when it is read.
    let names: [String]

    func makeTable() -> RowTable { RowTable(columns: names.count, hasSpans: false) }

    /// Decodes the field of `row` into row 0 of `table`.
    /// - Returns: the text that was decoded, in memory that lives as long as the batch; `nil` where it is blank.
    func parse(_ row: Int, of batch: RecordBatch, into table: RowTable) throws(RecordFailure) -> UnsafeBufferPointer<UInt8>? {
        let cell = column.map { batch.table.row(row)[$0] } ?? .absent
        switch cell.kind {
        case .string, .bytes: break
        case .absent: throw RecordFailure(code: "expression.no_such_field", message: "no such field '\(field)'")
        default: throw RecordFailure(code: "expression.type", message: "field '\(field)' is of type \(cell.kind), not text")
        }
        let text = paddedText(cell, batch)
        table.prepare(rows: 1)
        decoder.decode(text, row: 0, into: table)
        switch table.outcomes[0] {
        case .decoded, .duplicated: return text
        case .blank: return nil
        case .failed:
            let failure = table.failures.first
            throw RecordFailure(
                code: failure?.code ?? "parse", message: "field '\(field)': \(failure?.message ?? "cannot be parsed")")
        }
    }

    /// Decoders may read past the end of a text: a copy with room behind it.
    private func paddedText(_ cell: Cell, _ batch: RecordBatch) -> UnsafeBufferPointer<UInt8> {
        let memory = batch.scratch.text.allocate(Int(cell.count) + ByteBuffer.padding)
        if let source = cell.textBytes.baseAddress { memory.update(from: source, count: Int(cell.count)) }
        return UnsafeBufferPointer(start: UnsafePointer(memory), count: Int(cell.count))
    }
}

/// `parse` with `into`: the fields found become one field, a map.
struct NestStage: BatchStage {
    let site: StageSite
    let parser: FieldParser
    let target: Int

    func run(_ batch: RecordBatch) throws {
        let found = parser.makeTable()
        let buffer = ByteBuffer(capacity: 4096)
        try site.sift(batch) { (row) throws(RecordFailure) in
            let text = try parser.parse(row, of: batch, into: found)
            guard let text else {
                batch.table.row(row)[target] = .null
                return true
            }
            if parser.names.isEmpty {
                batch.table.row(row)[target] = Self.object(in: text)
                return true
            }
            buffer.count = 0
            var object = JSONObjectWriter(buffer)
            for (index, name) in parser.names.enumerated() where found.row(0)[index].kind != .absent {
                object.write(name, found.row(0)[index], batch.scratch)
            }
            object.end()
            batch.table.row(row)[target] = batch.scratch.text(.json, copying: buffer.filled)
            return true
        }
    }

    /// The JSON text without white space around it.
    private static func object(in text: UnsafeBufferPointer<UInt8>) -> Cell {
        let trimmed = JSONMembers.trimmed(text)
        return trimmed.baseAddress.map { .text(.json, $0, count: trimmed.count) } ?? .null
    }
}

/// `parse` without `into`, for a format whose fields are known: each becomes a field of the record.
struct SpreadStage: BatchStage {
    struct Target: Sendable {
        var column: Int
        /// Where a field of that name was before; it stays in records where the parsed text has no such field.
        var previous: Int?
    }

    let site: StageSite
    let parser: FieldParser
    let targets: [Target]

    func run(_ batch: RecordBatch) throws {
        let found = parser.makeTable()
        try site.sift(batch) { (row) throws(RecordFailure) in
            let isBlank = try parser.parse(row, of: batch, into: found) == nil
            let cells = batch.table.row(row)
            for (index, target) in targets.enumerated() {
                let cell = isBlank ? .absent : found.row(0)[index]
                cells[target.column] = cell.kind == .absent ? target.previous.map { cells[$0] } ?? .absent : batch.kept(cell)
            }
            return true
        }
    }
}

/// `parse` without `into`, for JSON: the members found become members of the record, in place of those of the same name.
struct MergeStage: BatchStage {
    let site: StageSite
    let parser: FieldParser
    let next: Decoding?

    func run(_ batch: RecordBatch) throws {
        let found = parser.makeTable()
        let bytes = ByteBuffer(capacity: Batch.targetBytes)
        var frames: [Frame] = []
        try site.sift(batch) { (row) throws(RecordFailure) in
            let text = try parser.parse(row, of: batch, into: found)
            let start = bytes.count
            let record = site.fields.json(row, of: batch)
            record.withFilled { JSONMembers.merge($0, with: text, into: bytes) }
            frames.append(Frame(start: UInt32(start), count: UInt32(bytes.count - start), lineDelta: 0))
            return true
        }
        try rebase(batch, onto: bytes, frames, decodedBy: next) { RecordFailure(code: $0.code, message: $0.message) }
    }
}

extension BatchStage {
    /// Gives the batch's rows new bytes and decodes them; those that cannot be decoded fail in this stage.
    func rebase(
        _ batch: RecordBatch, onto bytes: ByteBuffer, _ frames: [Frame], decodedBy next: Decoding?,
        failure: (RowTable.Failure) -> RecordFailure
    ) throws(RunError) {
        guard let next else { preconditionFailure("a stage that gives new bytes has a decoder behind it") }
        let table = next.decode(frames, of: bytes.start)
        var failures: [Int: RecordFailure] = [:]
        for found in table.failures { failures[found.row] = failure(found) }
        for (row, outcome) in table.outcomes.enumerated() where outcome == .blank {
            failures[row] = failure(RowTable.Failure(row: row, code: "parse.jsonl", message: "expected a JSON object, found nothing"))
        }
        for (row, failure) in failures.sorted(by: { $0.key < $1.key }) {
            batch.counts[site.index].passed -= 1
            try site.fail(Int(batch.rows[row]), of: batch, with: failure)
        }
        batch.rebase(onto: bytes, frames: frames, table: table, by: next)
        batch.rows.removeAll { failures[Int($0)] != nil }
    }
}
