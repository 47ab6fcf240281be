public import Sluice
package import SluiceCEL

/// `set`: computes fields; each expression sees the fields computed before it.
package struct SetFields: Verb {
    package static let declaration = Declaration(
        "set", "computes fields, in order; each sees those before it; a field that is an empty optional is not set",
        argument: .entries(key: .newField, value: .expression), example: "set: {seconds: duration_ms / 1000.0}",
        elsewhere: [
            "map", "mutate", "transform", "put", "add", "compute", "assign", "let", "with", "eval", "remap", "mapping", "derive", "extend", "add_fields",
        ])

    private let assignments: [(field: String, value: CellProgram)]

    package init(_ assignments: [(field: String, value: CellProgram)]) {
        self.assignments = assignments
    }

    package init?(_ argument: Argument, options: Arguments, _ checking: inout Checking) {
        guard let entries = argument.entries else { return nil }
        var built: [(field: String, value: CellProgram)] = []
        for entry in entries {
            let field = entry.key.text
            let program = entry.value.leaf.flatMap { checking.program($0, "'\(field)'") }
            checking.fields.set(field, type: program?.type ?? .dyn)
            if let program { built.append((field, program)) }
        }
        guard built.count == entries.count else { return nil }
        self.init(built)
    }

    package var mentions: [String] { assignments.flatMap { [$0.field] + $0.value.fieldNames } }

    package var reads: [String] {
        var made: [String] = []
        return assignments.flatMap { field, value -> [String] in
            let read = value.fieldNames.filter { $0.index(in: made) == nil }
            made.append(field)
            return read
        }
    }

    package func makeStep(_ stage: RecordStage) -> Step { .each(SetStep(assignments: assignments, room: stage.room)) }
}

/// The step of `set`.
private struct SetStep: EachStep {
    let assignments: [(field: String, value: CellProgram)]
    let room: StageRoom

    func bind(_ site: StageSite, _ binder: inout StageBinder) -> any EachStage {
        SetStage(
            site: site, room: room,
            assignments: assignments.map { field, value in
                let bound = BoundProgram(value, in: binder.fields)
                let previous = binder.shape.column(of: field)
                let column = binder.newColumn()
                binder.shape.set(field, column: column)
                return SetStage.Assignment(value: bound, column: column, previous: previous)
            })
    }
}

/// `set`, bound to one place.
struct SetStage: EachStage {
    struct Assignment: Sendable {
        var value: BoundProgram
        /// The column for the value.
        var column: Int
        /// The previous column of the field. Its value stays if the expression gives an empty
        /// optional.
        var previous: Int?
    }

    let site: StageSite
    let room: StageRoom
    let assignments: [Assignment]

    /// Evaluates the assignments one after the other, each over all rows.
    func run(_ batch: RecordBatch) throws {
        let received = batch.rows.count
        for index in assignments.indices { try assign(index, in: batch) }
        batch.counts[site.index].in = received
        batch.counts[site.index].out = batch.rows.count
    }

    private func assign(_ index: Int, in batch: RecordBatch) throws(RunError) {
        let assignment = assignments[index]
        let table = batch.table
        let evaluate = assignment.value.evaluation(over: batch)
        let column = assignment.column
        let scratch = batch.scratch
        let mostHeld = mostHeld(batch)
        try site.keep(in: batch) { (row) throws(RecordFailure) in
            let value = evaluate(row)
            // Values are kept until the batch is written, so that each may be the sum of those
            // before it.
            if scratch.byteCount > mostHeld, scratch.madeCount > 0, value.kind != .error, isTooMuch(row, upTo: index, in: batch) {
                scratch.discard()
                throw .tooMuch(mostHeld, room)
            }
            switch value.kind {
            case .error: throw assignment.value.failure(row, of: batch)
            case .absent: table.row(row)[column] = assignment.previous.map { table.row(row)[$0] } ?? .absent
            default: table.row(row)[column] = value
            }
            return true
        }
    }

    /// The least share of a record, in bytes.
    private static let leastShare = 1 << 10

    /// The most bytes that expressions may make for a batch, beside the shares of its records. The
    /// source's text tells the same in a task of a divided run.
    private func mostHeld(_ batch: RecordBatch) -> Int { room.values(ofText: batch.source.bytes.count) }

    /// Whether the record takes more than its share, where there is no room for more than that: as
    /// much of half of the room as of the text of its batch, or of a full one. So no record fails
    /// because of those beside it that take more than theirs.
    @inline(never)
    private func isTooMuch(_ row: Int, upTo index: Int, in batch: RecordBatch) -> Bool {
        let scratch = batch.scratch
        let own = assignments[..<index].reduce(scratch.madeCount) { $0 + scratch.byteCount(of: batch.table.row(row)[$1.column]) }
        let shares =
            batch.frames.isEmpty
            ? batch.table.rows : max(room.batchText, batch.textCount) / max(1, batch.text(row).count)
        return own > max(Self.leastShare, mostHeld(batch) / 2 / max(1, shares))
    }
}

extension RecordFailure {
    fileprivate static func tooMuch(_ most: Int, _ room: StageRoom) -> RecordFailure {
        let enough = most < room.values ? " above \(room.memoryForMoreValues >> 30) GiB" : ""
        return RecordFailure(
            code: "expression.cost_limit",
            message: "with this value, expressions would hold more than \(most >> 20) MiB for a batch of records, and more than this record's share of it;"
                + " 'limits.memory'\(enough) allows more")
    }
}

extension Records {
    /// Computes fields in order; each expression sees the fields computed before it. An empty
    /// optional, such as `record.?user`, is not written.
    ///
    /// - Parameters:
    ///   - fields: names with their expressions.
    ///   - onError: what happens to a record for which an expression fails.
    public func set(_ fields: KeyValuePairs<String, String>, name: String? = nil, onError: FailurePolicy = .deadLetter) -> Records {
        adding(SetFields.self, name, onError: onError) { $0.argument(fields) }
    }
}
