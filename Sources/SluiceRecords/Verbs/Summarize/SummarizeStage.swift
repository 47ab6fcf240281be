import Sluice
import SluiceCEL

/// `summarize`, bound to one place.
struct SummarizeStage: ClosingStage {
    struct Value: Sendable {
        /// As in the pipeline file, for messages.
        var text: String
        var accepted: CellKinds
        var refusal: String
        var intake: AggregateIntake
        /// `nil` if it takes no value.
        var program: BoundProgram?

        init(_ call: AggregateCall, in fields: RecordFields) {
            text = call.text
            accepted = call.aggregate.accepted
            refusal = call.aggregate.refusal
            intake = call.aggregate.intake
            program = call.value.map { BoundProgram($0, in: fields) }
        }
    }

    let site: StageSite
    let step: SummarizeStep
    let by: [BoundProgram]
    let values: [Value]
    let next: BoundSegment?

    /// Computes all values of all records before any state changes, so that a record that fails has
    /// no effect on the states.
    func take(_ batch: RecordBatch, isKnown: Bool) throws(RunError) {
        guard let next else { preconditionFailure("a closing stage is followed by a segment") }
        let state = isKnown ? step.makeState() : step.take()
        var isGiven = isKnown
        defer { if !isGiven { step.keep(state) } }
        batch.counts[site.index].in = batch.rows.count
        let cells = CellColumns(count: by.count + values.count, rows: batch.table.rows, in: batch.scratch)
        for (column, program) in by.enumerated() { try compute(program, into: cells[column], batch) }
        for (index, value) in values.enumerated() { try compute(value, into: cells[by.count + index], batch) }
        try appendKeys(cells, state, batch)
        state.take((by.count..<by.count + values.count).map { cells[$0] }, of: batch)
        batch.absorbRows(at: site.index, next: next)
        guard !isKnown else { return }
        isGiven = true
        try step.giveBack(state)
    }

    private func compute(_ program: BoundProgram, into cells: UnsafeMutablePointer<Cell>, _ batch: RecordBatch) throws(RunError) {
        let evaluate = program.evaluation(over: batch)
        try site.keep(in: batch) { (row) throws(RecordFailure) in
            let cell = evaluate(row)
            if cell.kind == .error { throw program.failure(row, of: batch) }
            cells[row] = cell
            return true
        }
    }

    private func compute(_ value: Value, into cells: UnsafeMutablePointer<Cell>, _ batch: RecordBatch) throws(RunError) {
        guard let program = value.program else { return }
        let evaluate = program.evaluation(over: batch)
        let accepted = value.accepted
        let maker = IntakeMaker(value.intake)
        try site.keep(in: batch) { (row) throws(RecordFailure) in
            let cell = evaluate(row)
            if !accepted.contains(cell.kind) {
                if cell.kind == .error { throw program.failure(row, of: batch) }
                throw RecordFailure(code: "expression.type", message: "'\(value.text)' is of type \(cell.kind), \(value.refusal)")
            }
            cells[row] = try maker.make(cell, batch.scratch)
            return true
        }
    }

    private func appendKeys(_ cells: CellColumns, _ state: SummaryState, _ batch: RecordBatch) throws(RunError) {
        state.begin()
        let count = by.count
        try site.keep(in: batch) { (row) throws(RecordFailure) in
            do throws(EvaluationError) {
                try state.append(UInt32(row), cells, count, batch.scratch)
            } catch {
                throw RecordFailure(error)
            }
            return true
        }
        if site.timeout != nil { state.keep(batch.rows) }
    }
}

/// Converts values to the form in which an aggregate takes them.
private struct IntakeMaker {
    private let intake: AggregateIntake
    private let buffer = ByteBuffer(capacity: 256)

    init(_ intake: AggregateIntake) {
        self.intake = intake
    }

    @inline(__always)
    func make(_ cell: Cell, _ scratch: Scratch) throws(RecordFailure) -> Cell {
        if intake == .cell || cell.kind == .absent { return cell }
        do throws(EvaluationError) {
            return try makeKey(cell, scratch)
        } catch {
            throw RecordFailure(error)
        }
    }

    private func makeKey(_ cell: Cell, _ scratch: Scratch) throws(EvaluationError) -> Cell {
        buffer.count = 0
        if intake == .keyAndWriting { for _ in 0..<4 { buffer.append(0) } }
        let start = buffer.count
        let suffices = try GroupKey.append(cell, to: buffer, scratch)
        if intake == .keyAndWriting {
            let count = UInt32(truncatingIfNeeded: buffer.count - start)
            UnsafeMutableRawPointer(buffer.start).storeBytes(of: count.littleEndian, as: UInt32.self)
            if !suffices { WrittenKey.append(cell, to: buffer, scratch) }
        }
        return buffer.withFilled { scratch.text(.bytes, copying: $0) }
    }
}

extension RecordFailure {
    init(_ error: EvaluationError) {
        self.init(code: "expression.\(error.code.rawValue)", message: error.message)
    }
}

/// Columns of computed cells, indexed by row, in the scratch's memory.
struct CellColumns {
    private let cells: UnsafeMutablePointer<Cell>
    private let rows: Int

    init(count: Int, rows: Int, in scratch: Scratch) {
        self.rows = rows
        cells = scratch.text.allocateCells(count * rows)
    }

    /// The cells of a column; those of rows that were not computed are meaningless.
    subscript(column: Int) -> UnsafeMutablePointer<Cell> {
        @inline(__always) get { cells + column * rows }
    }
}
