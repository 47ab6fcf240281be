import CBytes
import SluiceCEL

/// What one worker has gathered: groups, and a state for each group and aggregate.
///
/// States merge to the same bits in any order. Not for concurrent use.
final class SummaryState {
    let groups: GroupTable
    /// One for each aggregate.
    let states: [any AggregateStates]
    /// Buffers for one batch, kept to reuse their memory.
    let keys: ByteBuffer
    let written = ByteBuffer(capacity: 4096)
    @exclusivity(unchecked) private var records: [KeyedRecord] = []
    @exclusivity(unchecked) private var numbers: [UInt32] = []

    /// A record of a batch and its key.
    struct KeyedRecord: BitwiseCopyable {
        var row: UInt32
        var keyCount: UInt32
        var keyStart: Int
        /// The written form of the key, if the key does not suffice.
        var writtenStart = 0
        var writtenCount: UInt32 = 0
    }

    /// - Parameter keyBytes: the bytes to make room for, of the keys of a batch.
    init(_ aggregates: [any Aggregate], seed: UInt64, keyBytes: Int = Batch.targetBytes) {
        keys = ByteBuffer(capacity: keyBytes)
        groups = GroupTable(seed: seed)
        states = aggregates.map { $0.makeStates() }
    }

    /// Clears the buffers for the next batch.
    func begin() {
        keys.count = 0
        written.count = 0
        records.removeAll(keepingCapacity: true)
    }

    /// Appends a record of the batch and its key.
    ///
    /// - Parameters:
    ///   - cells: columns of computed cells, the first of which are the key's values.
    ///   - count: the number of values in a key.
    @inline(__always)
    func append(_ row: UInt32, _ cells: CellColumns, _ count: Int, _ scratch: Scratch) throws(EvaluationError) {
        var record = KeyedRecord(row: row, keyCount: 0, keyStart: keys.count)
        var suffices = true
        for column in 0..<count {
            if try !GroupKey.append(cells[column][Int(row)], to: keys, scratch) { suffices = false }
        }
        record.keyCount = UInt32(truncatingIfNeeded: keys.count - record.keyStart)
        if !suffices { appendWritten(cells, count, scratch, &record) }
        records.append(record)
    }

    @inline(never)
    private func appendWritten(_ cells: CellColumns, _ count: Int, _ scratch: Scratch, _ record: inout KeyedRecord) {
        record.writtenStart = written.count
        for column in 0..<count { WrittenKey.append(cells[column][Int(record.row)], to: written, scratch) }
        record.writtenCount = UInt32(truncatingIfNeeded: written.count - record.writtenStart)
    }

    /// Removes the records of rows that have failed in the meantime. Both are ascending.
    func keep(_ rows: [UInt32]) {
        var place = 0
        records.removeAll { record in
            while place < rows.count, rows[place] < record.row { place += 1 }
            return place == rows.count || rows[place] != record.row
        }
    }

    /// Adds the records of a batch, whose keys were appended before.
    ///
    /// - Parameter values: for each aggregate, the records' values, indexed by row.
    func take(_ values: [UnsafeMutablePointer<Cell>], of batch: RecordBatch) {
        numbers.removeAll(keepingCapacity: true)
        numbers.reserveCapacity(records.count)
        let beginning = batch.beginning
        for record in records {
            let key = UnsafePointer(keys.start + record.keyStart)
            let hash = groups.hash(key, Int(record.keyCount))
            if let group = groups.find(key, Int(record.keyCount), hash: hash) {
                numbers.append(UInt32(truncatingIfNeeded: group))
                // Within a batch, the first record of a group is the one that comes first.
                let first = groups.first(of: group)
                if beginning < first { settle(record, group, first, batch) }
            } else {
                let text = UnsafeBufferPointer(start: key, count: Int(record.keyCount))
                let group = groups.insert(text, hash: hash, first: batch.place(ofRow: Int(record.row)), written: writing(of: record))
                numbers.append(UInt32(truncatingIfNeeded: group))
            }
        }
        numbers.withUnsafeBufferPointer { numbers in
            batch.rows.withUnsafeBufferPointer { rows in
                for (states, values) in zip(states, values) {
                    states.grow(to: groups.count)
                    states.add(UnsafePointer(values), of: rows, to: numbers, in: batch)
                }
            }
        }
    }

    private func settle(_ record: KeyedRecord, _ group: Int, _ first: RecordPlace, _ batch: RecordBatch) {
        let place = batch.place(ofRow: Int(record.row))
        if place < first { groups.move(group, to: place, written: writing(of: record)) }
    }

    private func writing(of record: KeyedRecord) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: written.start + record.writtenStart, count: Int(record.writtenCount))
    }

    /// Whether the values of a single group can be divided.
    var hasValues: Bool { states.contains { $0.values != nil } }

    var valueCount: Int { states.reduce(0) { $0 + ($1.values?.count ?? 0) } }

    /// Moves the values that are kept one by one to other states, in 256 parts, so that those of a
    /// single group may be in many.
    ///
    /// - Parameters:
    ///   - byte: which byte of their hashes decides.
    ///   - make: makes an empty state for the same aggregates.
    ///   - take: takes the state of a part that has any.
    func divideValues(
        by byte: Int, _ make: () -> SummaryState, _ take: (_ part: Int, SummaryState) throws(RunError) -> Void
    ) throws(RunError) {
        let divided = states.map { $0.values?.divided(by: byte) { self.groups.key(of: $0) } }
        for part in 0..<256 where divided.contains(where: { $0?[part].isEmpty == false }) {
            let other = make()
            for index in states.indices {
                guard let values = states[index].values, let some = divided[index]?[part] else { continue }
                other.states[index].values?.add(some, of: values) { other.groups.add($0, of: self.groups) }
            }
            for states in other.states { states.grow(to: other.groups.count) }
            try take(part, other)
        }
        for states in states { states.values?.removeAll() }
    }

    /// Keeps the values that results may contain, given all that is known of each.
    ///
    /// - Parameter most: for each aggregate, how many a result may contain.
    func keepValues(_ most: [Int]) {
        for (states, most) in zip(states, most) { states.values?.keepFirst(most) }
    }

    /// An estimate of the memory in use, in bytes.
    var bytes: Int { groups.size + states.reduce(0) { $0 + $1.bytes } }

    /// Merges the state of another worker for the same aggregates.
    func merge(_ other: SummaryState) {
        let numbers = groups.merge(other.groups)
        for (states, others) in zip(states, other.states) {
            states.grow(to: groups.count)
            states.merge(others, into: numbers)
        }
    }
}
