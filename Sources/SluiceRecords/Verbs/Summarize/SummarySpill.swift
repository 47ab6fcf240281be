import Sluice
import SluiceCEL
import Synchronization

/// Groups that don't fit in memory, in a file. They are divided into 256 parts by the hashes of
/// their keys, and each part is later merged in memory.
final class SummarySpill: Sendable {
    static let parts = 256

    private struct Files {
        var file: RoomFile?
        /// The file ranges of the states of each part.
        var states: [[Range<Int>]] = Array(repeating: [], count: SummarySpill.parts)
    }

    private let files = Locked(Files())
    private let room: StageRoom
    private let shape: SummaryState.Shape

    init(_ room: StageRoom, _ shape: SummaryState.Shape) {
        self.room = room
        self.shape = shape
    }

    var isEmpty: Bool { files.withLock { $0.file == nil } }

    /// Writes all groups of a state to the file. The state must not be used again.
    func add(_ state: SummaryState) throws(RunError) {
        var parts = [[Int]](repeating: [], count: Self.parts)
        for group in 0..<state.groups.count { parts[Int(state.groups.hash(of: group) >> 56)].append(group) }
        for (part, groups) in parts.enumerated() where !groups.isEmpty {
            let bytes = state.bytes(shape, of: groups)
            try files.withLock { (files) throws(RunError) in
                let file = if let file = files.file { file } else { try RoomFile(in: room.folder) }
                files.file = file
                let start = file.count
                var failure: RunError?
                bytes.withUnsafeBufferPointer { bytes in
                    do throws(RunError) { try file.append(bytes) } catch { failure = error }
                }
                if let failure { throw failure }
                files.states[part].append(start..<file.count)
            }
        }
    }

    /// Merges all states of a part into one.
    func read(part: Int, into whole: SummaryState, _ make: () -> SummaryState) throws(RunError) {
        let (file, states) = files.withLock { ($0.file, $0.states[part]) }
        guard let file else { return }
        for range in states {
            var bytes = [UInt8](repeating: 0, count: range.count)
            var failure: RunError?
            let count = bytes.withUnsafeMutableBufferPointer { buffer -> Int in
                guard let start = buffer.baseAddress else { return 0 }
                do throws(RunError) {
                    return try file.read(at: range.lowerBound, into: start, room: range.count)
                } catch {
                    failure = error
                    return 0
                }
            }
            if let failure { throw failure }
            guard count == range.count else { throw .room(folder: room.folder, reason: "the file was truncated") }
            let state = make()
            do throws(CheckpointError) {
                try state.read(bytes, shape)
            } catch {
                throw .fault("spilled groups cannot be read: \(error.reason)")
            }
            whole.merge(state)
        }
    }
}

/// The groups of a spill as records: part by part, they become rows keyed by their position in the
/// result, which are sorted like records.
///
/// `@unchecked Sendable`: the run requests one batch at a time and is the only user.
final class SpilledResults: ClosingRows, @unchecked Sendable {
    private let spill: SummarySpill
    private let room: StageRoom
    private let by: Int
    private let values: [SummaryResults.Value]
    private let order: Summarize.Order
    private let make: () -> SummaryState
    private let noted: (SummaryState) -> Void
    private var merge: EntryMerge?

    init(
        _ spill: SummarySpill, _ room: StageRoom, by: Int, _ values: [SummaryResults.Value], order: Summarize.Order, make: @escaping () -> SummaryState,
        noting noted: @escaping (SummaryState) -> Void
    ) {
        self.spill = spill
        self.room = room
        self.by = by
        self.values = values
        self.order = order
        self.make = make
        self.noted = noted
    }

    func next(_ table: RowTable, _ scratch: Scratch) throws(RunError) -> Int {
        let merge = if let merge { merge } else { try sort() }
        self.merge = merge
        var row = 0
        while row < table.rows, let entry = try merge.next(), let start = entry.baseAddress {
            for (column, cell) in (WrittenKey.cells(by + values.count, in: SortedEntries.value(at: start)) ?? []).enumerated() {
                table.row(row)[column] = cell.copied(to: scratch)
            }
            row += 1
        }
        return row
    }

    private func sort() throws(RunError) -> EntryMerge {
        let sorted = SortedEntries()
        for part in 0..<SummarySpill.parts {
            let state = make()
            try spill.read(part: part, into: state, make)
            noted(state)
            try add(state, to: sorted)
            if sorted.size > room.memory / 4 { try sorted.spill(to: room) }
        }
        return try EntryMerge(sorted.cursors())
    }

    private func add(_ state: SummaryState, to sorted: SortedEntries) throws(RunError) {
        let rows = SummaryResults(state, by: by, values, order: .first)
        let scratch = Scratch(reader: JSONReader())
        let cells = UnsafeMutablePointer<Cell>.allocate(capacity: by + values.count + 1)
        defer { cells.deallocate() }
        let (key, value) = (ByteBuffer(capacity: 256), ByteBuffer(capacity: 256))
        for group in 0..<state.groups.count {
            (key.count, value.count) = (0, 0)
            if order == .key { KeyOrder.append(state.groups.key(of: group), to: key) }
            OrderKey.append(state.groups.first(of: group), to: key)
            rows.fill(cells, group, scratch)
            for column in 0..<by + values.count { WrittenKey.append(cells[column], to: value, scratch) }
            sorted.append(key.filled, value.filled)
            scratch.reset()
        }
    }
}
