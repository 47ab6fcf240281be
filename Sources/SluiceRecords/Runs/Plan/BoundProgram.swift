import SluiceCEL

/// An expression with its slots bound to columns and other operands.
struct BoundProgram: Sendable {
    enum Operand: Sendable, Equatable {
        case column(Int)
        /// Records have no such field here.
        case absent
        case record
        case sourceFile, sourceLine, sourceOffset
    }

    let program: CellProgram
    private let operands: [Operand]
    /// The first column, if the slots are consecutive columns: the program then reads the row
    /// itself.
    private let direct: Int?
    private let fields: RecordFields

    init(_ program: CellProgram, in fields: RecordFields) {
        self.program = program
        self.fields = fields
        operands = program.slots.map { slot in
            switch slot {
            case .field(let name): fields.shape.column(of: name).map(Operand.column) ?? .absent
            case .record: .record
            case .sourceFile: .sourceFile
            case .sourceLine: .sourceLine
            case .sourceOffset: .sourceOffset
            }
        }
        direct = Self.consecutive(operands)
    }

    private static func consecutive(_ operands: [Operand]) -> Int? {
        guard case .column(let first)? = operands.first else { return operands.isEmpty ? 0 : nil }
        return operands == operands.indices.map { .column(first + $0) } ? first : nil
    }

    func evaluation(over batch: RecordBatch) -> Evaluation {
        Evaluation(self, over: batch)
    }

    /// A program bound to one batch. Call it with a row; text in the result lives as long as the
    /// batch.
    struct Evaluation {
        private let bound: BoundProgram
        private let batch: RecordBatch
        private let table: RowTable
        private let scratch: Scratch
        private let cells: UnsafeMutablePointer<Cell>

        fileprivate init(_ bound: BoundProgram, over batch: RecordBatch) {
            self.bound = bound
            self.batch = batch
            table = batch.table
            scratch = batch.scratch
            cells = batch.scratch.text.allocateCells(bound.operands.count)
        }

        @inline(__always)
        func callAsFunction(_ row: Int) -> Cell {
            if let direct = bound.direct { return bound.program.evaluate(table.row(row) + direct, scratch) }
            scratch.begin()
            bound.gather(row, of: batch, into: cells)
            return bound.program.evaluate(cells, scratch, hasBegun: true)
        }

        /// Evaluates the program as a condition; `nil` if it fails or the result is not a bool.
        @inline(__always)
        func test(_ row: Int) -> Bool? {
            if let direct = bound.direct { return bound.program.test(table.row(row) + direct, scratch) }
            let mark = scratch.mark
            defer { scratch.rewind(to: mark) }
            bound.gather(row, of: batch, into: cells)
            return bound.program.test(cells, scratch)
        }
    }

    private func gather(_ row: Int, of batch: RecordBatch, into cells: UnsafeMutablePointer<Cell>) {
        let values = batch.table.row(row)
        for (index, operand) in operands.enumerated() {
            cells[index] =
                switch operand {
                case .column(let column): values[column]
                case .absent: .absent
                case .record: fields.wholeRecord(row, of: batch)
                case .sourceFile: fields.fileName(of: batch)
                case .sourceLine: batch.position(ofRow: row).map { .int(Int64(clamping: $0.line)) } ?? .null
                case .sourceOffset: batch.position(ofRow: row).map { .int(Int64(clamping: $0.offset)) } ?? .null
                }
        }
    }

    /// Turns the error that the scratch holds for `row` into the failure of a dead letter.
    func failure(_ row: Int, of batch: RecordBatch) -> RecordFailure {
        let error = batch.scratch.takeError()
        var message = error.message
        if error.code == .noSuchField, let near = fields.nearestName(to: error.message, row, of: batch) {
            message += "; did you mean '\(near)'?"
        }
        if error.code == .type, message.hasPrefix("'in' cannot be applied to"), let advice = ExpressionAdvice.fix(for: error, in: program.text) {
            message += "; \(advice)"
        } else if error.code == .type, ExpressionAdvice.mixesTextAndNumbers(message) {
            message += "; convert with int(…), double(…) or string(…)"
        }
        return RecordFailure(code: "expression.\(error.code.rawValue)", message: message)
    }
}
