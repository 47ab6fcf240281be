import SluiceCEL

/// An expression with the places in a row that its slots are read from.
struct BoundProgram: Sendable {
    enum Place: Sendable, Equatable {
        case column(Int)
        /// No record has this field here.
        case absent
        case record
        case sourceFile, sourceLine, sourceOffset
    }

    let program: CellProgram
    private let places: [Place]
    /// The first column, where the slots are consecutive columns: then the row itself is what the program reads.
    private let direct: Int?
    private let fields: RecordFields

    init(_ program: CellProgram, in fields: RecordFields) {
        self.program = program
        self.fields = fields
        places = program.slots.map { slot in
            switch slot {
            case .field(let name): fields.shape.column(of: name).map(Place.column) ?? .absent
            case .record: .record
            case .sourceFile: .sourceFile
            case .sourceLine: .sourceLine
            case .sourceOffset: .sourceOffset
            }
        }
        direct = Self.consecutive(places)
    }

    private static func consecutive(_ places: [Place]) -> Int? {
        guard case .column(let first)? = places.first else { return places.isEmpty ? 0 : nil }
        return places == places.indices.map { .column(first + $0) } ? first : nil
    }

    func evaluation(over batch: RecordBatch) -> Evaluation {
        Evaluation(self, over: batch)
    }

    /// The program at work on one batch. Call it with a row; text in the result lives as long as the batch.
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
            cells = batch.scratch.text.allocateCells(bound.places.count)
        }

        @inline(__always)
        func callAsFunction(_ row: Int) -> Cell {
            if let direct = bound.direct { return bound.program.evaluate(table.row(row) + direct, scratch) }
            bound.gather(row, of: batch, into: cells)
            return bound.program.evaluate(cells, scratch)
        }

        /// As a condition; `nil` when it failed or is no bool.
        @inline(__always)
        func test(_ row: Int) -> Bool? {
            if let direct = bound.direct { return bound.program.test(table.row(row) + direct, scratch) }
            bound.gather(row, of: batch, into: cells)
            return bound.program.test(cells, scratch)
        }
    }

    private func gather(_ row: Int, of batch: RecordBatch, into cells: UnsafeMutablePointer<Cell>) {
        let values = batch.table.row(row)
        for (index, place) in places.enumerated() {
            cells[index] =
                switch place {
                case .column(let column): values[column]
                case .absent: .absent
                case .record: fields.wholeRecord(row, of: batch)
                case .sourceFile: fields.fileName(of: batch)
                case .sourceLine: .int(Int64(clamping: batch.source.position(ofFrame: batch.origin(row)).line))
                case .sourceOffset: .int(Int64(clamping: batch.source.position(ofFrame: batch.origin(row)).offset))
                }
        }
    }

    /// What the scratch says went wrong with `row`, as a dead letter has it.
    func failure(_ row: Int, of batch: RecordBatch) -> RecordFailure {
        let error = batch.scratch.takeError()
        var message = error.message
        if error.code == .noSuchField, let near = fields.nearestName(to: error.message, row, of: batch) {
            message += "; did you mean '\(near)'?"
        }
        return RecordFailure(code: "expression.\(error.code.rawValue)", message: message)
    }
}
