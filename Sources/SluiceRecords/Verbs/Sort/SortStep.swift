import Sluice
import SluiceCEL
import Synchronization

/// The state of `sort` during a run: the entries that its workers have taken in.
///
/// Each worker has its own entries. An entry is the record's sort key (``OrderKey``), with its
/// place in the input at the end, and the record as JSON text. When they exceed the stage's memory
/// they are sorted and spilled to files; at the end everything is merged.
final class SortStep: ClosingStep {
    let fields: [Schema.Field]? = nil
    private let verb: Sort
    private let room: StageRoom
    private let states = Locked(States())

    /// `@unchecked Sendable`: entries belong to the thread that took them until it gives them back.
    fileprivate struct States: @unchecked Sendable {
        var idle: [SortedEntries] = []
        var made = 0
    }

    init(_ verb: Sort, _ room: StageRoom) {
        self.verb = verb
        self.room = room
    }

    func bind(_ site: StageSite, _ binder: inout StageBinder) -> any ClosingStage {
        SortStage(
            site: site, step: self, keys: verb.keys.map { SortStage.Key(BoundProgram($0.value, in: site.fields), isDescending: $0.isDescending) },
            typed: TypedFields(from: site.fields.shape, to: binder.next), next: binder.next)
    }

    func take() -> SortedEntries {
        states.withLock { $0.take(limit: verb.limit) }.entries
    }

    /// Returns entries for reuse; spills them to a file first if there are too many.
    func giveBack(_ entries: SortedEntries) throws(RunError) {
        let share = room.memory / max(1, states.withLock { $0.made })
        // Sorting and growing need as much memory again.
        if entries.size > share / 2 { try entries.spill(to: room) }
        let given = States.Borrowed(entries: entries)
        states.withLock { $0.idle.append(given.entries) }
    }

    func results() throws(RunError) -> ClosingResults {
        let all = states.withLock { States.All(entries: $0.idle) }.entries
        return .texts(SortedTexts(try EntryMerge(all.flatMap { $0.cursors() }), limit: verb.limit, batchText: room.batchText))
    }

    /// The most bytes of entries that a checkpoint contains. More are in a file: it need not be
    /// written again for the next checkpoint.
    private static let mostInCheckpoint = 1 << 20

    /// The version, 2, then the key and the value of each entry that is not in a file, in order.
    func checkpoint() throws(RunError) -> StageState {
        let all = states.withLock { $0.takeAll() }.entries
        let entries = try SortedEntries(joining: all, limit: verb.limit, inMemory: Self.mostInCheckpoint, room)
        var writer = StateWriter()
        writer.write(UInt64(2))
        let cursor = entries.inMemory()
        while let entry = try cursor.next(), let start = entry.baseAddress {
            writer.write(SortedEntries.key(at: start))
            writer.write(SortedEntries.value(at: start))
        }
        let given = States.Borrowed(entries: entries)
        states.withLock { $0.add(given) }
        return StageState(bytes: writer.bytes, files: entries.runs.map(\.file))
    }

    func merge(_ state: StageState) throws(CheckpointError) {
        var reader = StateReader(state.bytes)
        guard try reader.number() == 2 else { throw CheckpointError("the state has another version") }
        // Of a hundred thousand tasks, each leaves a few: they are added to those that are there.
        let entries = state.files.isEmpty ? take() : SortedEntries(limit: verb.limit, runs: state.files.map { SortedRun($0) })
        while !reader.isAtEnd {
            let key = try reader.text()
            let value = try reader.text()
            guard SortedRecord.isValid(value) else { throw CheckpointError("invalid record") }
            if entries.wants(key) { entries.append(key, value) }
        }
        guard state.files.isEmpty else {
            let given = States.Borrowed(entries: entries)
            return states.withLock { $0.add(given) }
        }
        do throws(RunError) {
            try giveBack(entries)
        } catch {
            throw CheckpointError(error.description)
        }
    }
}

extension SortStep.States {
    /// `@unchecked Sendable`: see ``SortStep/States``.
    struct Borrowed: @unchecked Sendable {
        var entries: SortedEntries
    }

    /// `@unchecked Sendable`: see ``SortStep/States``.
    struct All: @unchecked Sendable {
        var entries: [SortedEntries]
    }

    mutating func take(limit: Int?) -> Borrowed {
        if let entries = idle.popLast() { return Borrowed(entries: entries) }
        made += 1
        return Borrowed(entries: SortedEntries(limit: limit))
    }

    mutating func takeAll() -> All {
        defer { self = Self() }
        return All(entries: idle)
    }

    /// Adds entries that were not taken before.
    mutating func add(_ new: Borrowed) {
        idle.append(new.entries)
        made += 1
    }
}

/// `sort`, bound to one place.
struct SortStage: ClosingStage {
    struct Key: Sendable {
        var value: BoundProgram
        var isDescending: Bool

        init(_ value: BoundProgram, isDescending: Bool) {
            self.value = value
            self.isDescending = isDescending
        }
    }

    let site: StageSite
    let step: SortStep
    let keys: [Key]
    let typed: TypedFields
    let next: BoundSegment?

    /// Computes all keys of all records before taking any record in.
    func take(_ batch: RecordBatch, isKnown: Bool) throws(RunError) {
        guard let next else { preconditionFailure("a closing stage is followed by a segment") }
        batch.counts[site.index].in = batch.rows.count
        let key = ByteBuffer(capacity: 1024)
        let ends = try makeKeys(batch, key)
        defer { batch.absorbRows(at: site.index, next: next) }
        guard !isKnown else { return }
        let entries = step.take()
        let value = ByteBuffer(capacity: 1024)
        // Copied once: each copy counts a dozen references.
        let (fields, typed) = (site.fields, self.typed)
        for row in batch.rows {
            let (start, end) = ends[Int(row)]
            let text = UnsafeBufferPointer(start: UnsafePointer(key.start) + start, count: end - start)
            guard entries.wants(text) else { continue }
            value.count = 0
            SortedRecord.write(Int(row), of: batch, fields, typed, to: value)
            value.withFilled { entries.append(text, $0) }
        }
        try step.giveBack(entries)
    }

    /// - Returns: for each row, the start and the end of its key.
    private func makeKeys(_ batch: RecordBatch, _ buffer: ByteBuffer) throws(RunError) -> [(Int, Int)] {
        let cells = CellColumns(count: keys.count, rows: batch.table.rows, in: batch.scratch)
        for (column, key) in keys.enumerated() { try compute(key.value, into: cells[column], batch) }
        let directions = keys.map(\.isDescending)
        var ends = [(Int, Int)](repeating: (0, 0), count: batch.table.rows)
        try site.keep(in: batch) { (row) throws(RecordFailure) in
            let start = buffer.count
            do throws(EvaluationError) {
                for (column, isDescending) in directions.enumerated() {
                    try OrderKey.append(cells[column][row], isDescending: isDescending, to: buffer, batch.scratch)
                }
            } catch {
                throw RecordFailure(error)
            }
            OrderKey.append(batch.place(ofRow: row), to: buffer)
            ends[row] = (start, buffer.count)
            return true
        }
        return ends
    }

    private func compute(_ program: BoundProgram, into cells: UnsafeMutablePointer<Cell>, _ batch: RecordBatch) throws(RunError) {
        let evaluate = program.evaluation(over: batch)
        try site.keep(in: batch) { (row) throws(RecordFailure) in
            let cell = evaluate(row)
            switch cell.kind {
            case .error: throw program.failure(row, of: batch)
            case .absent:
                throw RecordFailure(
                    code: "expression.no_such_field", message: "'\(program.program.text)' is an empty optional, which cannot be sorted")
            default: cells[row] = cell
            }
            return true
        }
    }
}

/// The sorted records.
///
/// `@unchecked Sendable`: the run asks for one batch at a time, and nothing else refers to it.
private final class SortedTexts: ClosingTexts, @unchecked Sendable {
    private let merge: EntryMerge
    private var left: Int
    /// The text, in bytes, of a full batch.
    private let batchText: Int

    init(_ merge: EntryMerge, limit: Int?, batchText: Int) {
        self.merge = merge
        left = limit ?? .max
        self.batchText = batchText
    }

    func next(_ texts: inout RecordTexts, most: Int) throws(RunError) {
        while texts.frames.count < most, left > 0, texts.bytes.count < batchText {
            guard let entry = try merge.next(), let start = entry.baseAddress else { return }
            left -= 1
            SortedRecord.read(SortedEntries.value(at: start), into: &texts)
        }
    }
}
