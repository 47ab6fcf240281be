import SluiceCEL

/// `top(x, n)`: the most frequent values, each with its frequency.
struct TopAggregate: Aggregate {
    static let declaration = AggregateDeclaration(
        name: "top", takes: .valueAndNumber,
        summary: "the n most frequent values, exact: a list of maps with `value` and `count`; among equally frequent ones, the lesser value comes first",
        example: "top(path, 10)", make: { TopAggregate($0, &$1) })

    private static let most = 100_000
    private let count: Int

    init?(_ arguments: AggregateArguments, _ checking: inout Checking) {
        guard let number = arguments.number, let count = Int(exactly: number), (1...Self.most).contains(count) else {
            checking.report("'\(arguments.name)' can return between 1 and 100,000 values", at: arguments.numberPlace?.place)
            return nil
        }
        self.count = count
    }

    var type: CELType { .list(.dyn) }
    var accepted: CellKinds { .any }
    var refusal: String { "" }
    var intake: AggregateIntake { .keyAndWriting }
    var stateName: String { Self.declaration.name }
    var listed: Int { count }

    func makeStates() -> any AggregateStates { TopStates() }

    func result(_ states: any AggregateStates, of group: Int, _ scratch: Scratch) -> Cell {
        (states as? TopStates)?.top(count, of: group, scratch) ?? .absent
    }
}

/// The frequency of each value of each group, in one table whose keys begin with the group's
/// number.
private final class TopStates: AggregateStates, GroupedValues {
    @exclusivity(unchecked) private var groups = 0
    @exclusivity(unchecked) private var table = TopStates.emptyTable
    @exclusivity(unchecked) private var counts: [UInt64] = []
    private let key = ByteBuffer(capacity: 256)
    /// The values of each group, computed on demand.
    private var listed: [[UInt32]]?

    private static var emptyTable: GroupTable { GroupTable(seed: UInt64.random(in: .min ... .max)) }

    func grow(to groups: Int) { self.groups = max(self.groups, groups) }

    var bytes: Int { table.size + 8 * counts.capacity }

    func add(
        _ values: UnsafePointer<Cell>, of rows: UnsafeBufferPointer<UInt32>, to groups: UnsafeBufferPointer<UInt32>, in batch: RecordBatch
    ) {
        listed = nil
        let beginning = batch.beginning
        for index in rows.indices {
            let cell = values[Int(rows[index])]
            guard cell.kind == .bytes, let start = cell.textBytes.baseAddress else { continue }
            let keyCount = Int(UInt32(littleEndian: UnsafeRawPointer(start).loadUnaligned(as: UInt32.self)))
            makeKey(groups[index], UnsafeBufferPointer(start: start + 4, count: keyCount))
            let hash = table.hash(key.start, key.count)
            let written = UnsafeBufferPointer(start: start + 4 + keyCount, count: Int(cell.count) - 4 - keyCount)
            if let number = table.find(key.start, key.count, hash: hash) {
                counts[number] &+= 1
                if beginning < table.first(of: number) { settle(number, batch.place(ofRow: Int(rows[index])), written) }
            } else {
                _ = table.insert(key.filled, hash: hash, first: batch.place(ofRow: Int(rows[index])), written: written)
                counts.append(1)
            }
        }
    }

    private func settle(_ number: Int, _ place: RecordPlace, _ written: UnsafeBufferPointer<UInt8>) {
        if place < table.first(of: number) { table.move(number, to: place, written: written) }
    }

    private func makeKey(_ group: UInt32, _ value: UnsafeBufferPointer<UInt8>) {
        key.count = 0
        for shift in 0..<4 { key.append(UInt8(truncatingIfNeeded: group >> UInt32(8 * shift))) }
        key.append(value)
    }

    /// The key of a value, without the group's number.
    private func value(of number: Int) -> UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(rebasing: table.key(of: number).dropFirst(4)) }

    private func group(of number: Int) -> Int {
        guard let start = table.key(of: number).baseAddress else { return 0 }
        return Int(UInt32(littleEndian: UnsafeRawPointer(start).loadUnaligned(as: UInt32.self)))
    }

    private func add(
        _ count: UInt64, of value: UnsafeBufferPointer<UInt8>, to group: UInt32, first: RecordPlace, written: UnsafeBufferPointer<UInt8>
    ) {
        makeKey(group, value)
        let hash = table.hash(key.start, key.count)
        if let number = table.find(key.start, key.count, hash: hash) {
            counts[number] &+= count
            settle(number, first, written)
        } else {
            _ = table.insert(key.filled, hash: hash, first: first, written: written)
            counts.append(count)
        }
    }

    func merge(_ others: any AggregateStates, into groups: [UInt32]) {
        guard let others = others as? TopStates else { return }
        listed = nil
        for number in 0..<others.table.count { add(number, of: others, to: groups[others.group(of: number)]) }
    }

    private func values(of group: Int) -> [UInt32] {
        if let listed { return listed[group] }
        var lists = [[UInt32]](repeating: [], count: groups)
        for number in 0..<table.count { lists[self.group(of: number)].append(UInt32(number)) }
        listed = lists
        return lists[group]
    }

    /// In the order of a result.
    private func ordered(_ group: Int) -> [UInt32] {
        values(of: group).sorted { left, right in
            let (left, right) = (Int(left), Int(right))
            return counts[left] != counts[right] ? counts[left] > counts[right] : KeyOrder.isLess(value(of: left), value(of: right))
        }
    }

    func result(of group: Int, _ scratch: Scratch) -> Cell { top(1, of: group, scratch) }

    func top(_ count: Int, of group: Int, _ scratch: Scratch) -> Cell {
        let order = ordered(group)
        let buffer = ByteBuffer(capacity: 256)
        buffer.append("[")
        for (index, number) in order.prefix(count).enumerated() {
            if index > 0 { buffer.append(",") }
            var object = JSONObjectWriter(buffer)
            object.write("value", cell(of: Int(number)), scratch)
            object.write("count", .int(Int64(clamping: counts[Int(number)])), scratch)
            object.end()
        }
        buffer.append("]")
        return buffer.withFilled { scratch.text(.json, copying: $0) }
    }

    private func cell(of number: Int) -> Cell {
        if let written = WrittenKey.cells(1, in: table.written(of: number))?.first { return written }
        var reader = GroupKeyReader(value(of: number))
        return reader.next()?.cell ?? .null
    }

    var values: (any GroupedValues)? { self }

    var count: Int { table.count }

    func divided(by byte: Int, _ key: (_ group: Int) -> UnsafeBufferPointer<UInt8>) -> [[UInt32]] {
        var divided = [[UInt32]](repeating: [], count: 256)
        let whole = ByteBuffer(capacity: 256)
        for number in 0..<table.count {
            whole.count = 0
            whole.append(key(group(of: number)))
            whole.append(value(of: number))
            let hash = SipHash.fixed.hash(whole.start, whole.count).high
            divided[Int(hash >> UInt64(8 * byte) & 255)].append(UInt32(number))
        }
        return divided
    }

    func add(_ some: [UInt32], of others: any GroupedValues, to number: (_ group: Int) -> Int) {
        guard let others = others as? TopStates else { return }
        listed = nil
        for value in some { add(Int(value), of: others, to: UInt32(number(others.group(of: Int(value))))) }
    }

    private func add(_ number: Int, of others: TopStates, to group: UInt32) {
        add(
            others.counts[number], of: others.value(of: number), to: group, first: others.table.first(of: number),
            written: others.table.written(of: number))
    }

    func removeAll() { (table, counts, listed) = (Self.emptyTable, [], nil) }

    func keepFirst(_ most: Int) {
        guard table.count > most else { return }
        let all = TopStates()
        swap(&all.table, &table)
        swap(&all.counts, &counts)
        all.groups = groups
        listed = nil
        for group in 0..<groups {
            for number in all.ordered(group).prefix(most) { add(Int(number), of: all, to: UInt32(group)) }
        }
    }

    /// The number of values, then each value, ordered by the bytes of their keys.
    func write(_ group: Int, to writer: inout StateWriter) {
        let order = values(of: group).sorted { value(of: Int($0)).lexicographicallyPrecedes(value(of: Int($1))) }
        writer.write(order.count)
        for number in order.map({ Int($0) }) {
            writer.write(value(of: number))
            writer.write(counts[number])
            table.first(of: number).write(to: &writer)
            writer.write(table.written(of: number))
        }
    }

    func read(_ group: Int, from reader: inout StateReader) throws(CheckpointError) {
        listed = nil
        for _ in 0..<(try reader.count()) {
            let value = try reader.text()
            let count = try reader.number()
            let first = try RecordPlace(from: &reader)
            let written = try reader.text()
            guard count > 0, SummaryState.isKey(value, 1, needsWritten: written.isEmpty), WrittenKey.cells(written.isEmpty ? 0 : 1, in: written) != nil
            else { throw CheckpointError("invalid value") }
            add(count, of: value, to: UInt32(group), first: first, written: written)
        }
    }
}
