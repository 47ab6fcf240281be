import Sluice
import SluiceCEL
import Synchronization

/// Groups that don't fit in memory, in files. They are divided into 256 parts by the hashes of
/// their keys, and each part is later merged in memory.
///
/// Values that are kept one by one (``GroupedValues``) are in parts of their own, which depend on
/// the value, too, since a single group may have any number of them. Each of these parts is merged
/// first, or divided again if it does not fit. What a result may contain of it, a few values for
/// each group, then goes to the groups.
final class SummarySpill: Sendable {
    static let parts = 256

    /// A state of some groups in a file.
    struct Piece: Sendable {
        var file: Int
        var bytes: Range<Int>
    }

    struct Pieces: Sendable {
        /// The last one is being written.
        var files: [StageFile] = []
        /// The states of each part.
        var states: [[Piece]] = Array(repeating: [], count: SummarySpill.parts)
        /// The same for values.
        var values: [[Piece]] = Array(repeating: [], count: SummarySpill.parts)
    }

    private let pieces = Locked(Pieces())
    private let room: StageRoom
    private let shape: SummaryState.Shape
    /// How often its values have been divided before: the byte of their hashes that divides them.
    private let level: Int

    init(_ room: StageRoom, _ shape: SummaryState.Shape, level: Int = 0) {
        self.room = room
        self.shape = shape
        self.level = level
    }

    var isEmpty: Bool { pieces.withLock { $0.files.isEmpty } }

    /// Writes all groups of a state to the file. The state must not be used again.
    ///
    /// - Parameter make: makes an empty state.
    func add(_ state: SummaryState, _ make: () -> SummaryState) throws(RunError) {
        try addValues(of: state, make)
        try addGroups(of: state)
    }

    private func addValues(of state: SummaryState, _ make: () -> SummaryState) throws(RunError) {
        guard state.hasValues else { return }
        try append(to: \.values) { (append) throws(RunError) in
            try state.divideValues(by: level, make) { (part, values) throws(RunError) in
                try append(part, values.bytes(shape, of: Array(0..<values.groups.count)))
            }
        }
    }

    /// The same with all values of each group.
    func addGroups(of state: SummaryState) throws(RunError) {
        var parts = [[Int]](repeating: [], count: Self.parts)
        for group in 0..<state.groups.count { parts[Int(state.groups.hash(of: group) >> 56)].append(group) }
        try append(to: \.states) { (append) throws(RunError) in
            for (part, groups) in parts.enumerated() where !groups.isEmpty { try append(part, state.bytes(shape, of: groups)) }
        }
    }

    /// The size from which on states are written, so that small ones are written together.
    private static let writtenAtOnce = 256 << 10

    /// - Parameter body: passes the bytes of states, each with its part.
    private func append(
        to parts: WritableKeyPath<Pieces, [[Piece]]>, _ body: (_ append: (Int, [UInt8]) throws(RunError) -> Void) throws(RunError) -> Void
    ) throws(RunError) {
        var (pending, counts): ([UInt8], [(part: Int, count: Int)]) = ([], [])
        func write() throws(RunError) {
            try self.write(pending, counts, to: parts)
            pending.removeAll(keepingCapacity: true)
            counts.removeAll(keepingCapacity: true)
        }
        try body { (part, bytes) throws(RunError) in
            if pending.count + bytes.count > Self.writtenAtOnce { try write() }
            // Not copied, as it may be most of the memory.
            if bytes.count > Self.writtenAtOnce { return try self.write(bytes, [(part, bytes.count)], to: parts) }
            pending += bytes
            counts.append((part, bytes.count))
        }
        try write()
    }

    private func write(_ bytes: [UInt8], _ counts: [(part: Int, count: Int)], to parts: WritableKeyPath<Pieces, [[Piece]]>) throws(RunError) {
        guard !counts.isEmpty else { return }
        try pieces.withLock { (pieces) throws(RunError) in
            if pieces.files.isEmpty { pieces.files = [try room.folder.makeFile()] }
            let number = pieces.files.count - 1
            let file = pieces.files[number]
            var start = file.count
            var failure: RunError?
            bytes.withUnsafeBufferPointer { bytes in
                do throws(RunError) { try file.append(bytes) } catch { failure = error }
            }
            if let failure { throw failure }
            for (part, count) in counts {
                pieces[keyPath: parts][part].append(Piece(file: number, bytes: start..<start + count))
                start += count
            }
        }
    }

    /// Adds the states of another spill.
    ///
    /// - Parameter isDivided: whether its groups are divided by the same hashes.
    func add(_ other: Pieces, isDivided: Bool, _ make: () -> SummaryState) throws(RunError) {
        guard isDivided else {
            for piece in other.states.joined() { try addGroups(of: try read(piece, in: other.files, make)) }
            // The hashes of values have no seed.
            try append(to: \.values) { (append) throws(RunError) in
                for part in 0..<Self.parts {
                    for piece in other.values[part] { try append(part, try bytes(of: piece, in: other.files)) }
                }
            }
            return
        }
        pieces.withLock { pieces in
            // The last file stays the last.
            let count = other.files.count
            for part in 0..<Self.parts {
                for index in pieces.states[part].indices { pieces.states[part][index].file += count }
                for index in pieces.values[part].indices { pieces.values[part][index].file += count }
                pieces.states[part] = other.states[part] + pieces.states[part]
                pieces.values[part] = other.values[part] + pieces.values[part]
            }
            pieces.files = other.files + pieces.files
        }
    }

    /// Writes the number of states; unless that is zero, the seed of the hashes; and for each
    /// state its part, the index of its file, and the start and the number of its bytes. Then the
    /// same of values, without a seed.
    ///
    /// - Returns: the files.
    func write(to writer: inout StateWriter, seed: UInt64) -> [StageFile] {
        let pieces = pieces.withLock { $0 }
        pieces.write(pieces.states, seed: seed, to: &writer)
        pieces.write(pieces.values, seed: nil, to: &writer)
        return pieces.files
    }

    /// Merges all groups of a part into one state. Its values are those that are left of
    /// ``gatherValues(most:_:)``.
    func read(part: Int, into whole: SummaryState, most: [Int], _ make: () -> SummaryState) throws(RunError) {
        let (files, groups) = pieces.withLock { ($0.files, $0.states[part]) }
        var limit = room.memory / 4
        for piece in groups {
            whole.merge(try read(piece, in: files, make))
            guard whole.bytes > limit else { continue }
            whole.keepValues(most)
            limit = max(limit, 2 * whole.bytes)
        }
    }

    /// Once no more is added, merges the values of each part, and adds what a result may contain of
    /// them to the groups.
    ///
    /// - Parameter most: for each aggregate, how many values a result may contain.
    func gatherValues(most: [Int], _ make: () -> SummaryState) throws(RunError) {
        var gathered = make()
        try gatherValues(most: most, &gathered, into: self, make)
        try addGroups(of: gathered)
    }

    /// - Parameters:
    ///   - gathered: what is left of several parts, since there may be little of each.
    ///   - whole: where that goes once it is large.
    private func gatherValues(
        most: [Int], _ gathered: inout SummaryState, into whole: SummarySpill, _ make: () -> SummaryState
    ) throws(RunError) {
        for part in 0..<Self.parts {
            let (files, values) = pieces.withLock { ($0.files, $0.values[part]) }
            if values.isEmpty { continue }
            var state = make()
            var divided: SummarySpill?
            for piece in values {
                state.merge(try read(piece, in: files, make))
                let isLarge = state.bytes > room.memory / 4 && state.valueCount > 8
                guard divided != nil || isLarge, level < Self.mostLevels else { continue }
                let spill = divided ?? SummarySpill(room, shape, level: level + 1)
                divided = spill
                try spill.addValues(of: state, make)
                state = make()
            }
            state.keepValues(most)
            let limit = room.memory / 8
            if gathered.bytes + state.bytes > limit {
                try whole.addGroups(of: gathered)
                gathered = make()
            }
            if state.bytes > limit { try whole.addGroups(of: state) } else { gathered.merge(state) }
            try divided?.gatherValues(most: most, &gathered, into: whole, make)
        }
    }

    /// As many as a hash has bytes, without the first.
    private static let mostLevels = 7

    private func read(_ piece: Piece, in files: [StageFile], _ make: () -> SummaryState) throws(RunError) -> SummaryState {
        let bytes = try bytes(of: piece, in: files)
        let state = make()
        do throws(CheckpointError) {
            try state.read(bytes, shape)
        } catch {
            throw .fault("spilled groups cannot be read: \(error.reason)")
        }
        return state
    }

    private func bytes(of piece: Piece, in files: [StageFile]) throws(RunError) -> [UInt8] {
        let (file, range) = (files[piece.file], piece.bytes)
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
        guard count == range.count else { throw file.error("a file was truncated") }
        return bytes
    }
}

extension SummarySpill.Pieces {
    fileprivate func write(_ parts: [[SummarySpill.Piece]], seed: UInt64?, to writer: inout StateWriter) {
        let count = parts.reduce(0) { $0 + $1.count }
        writer.write(count)
        if count > 0, let seed { writer.write(seed) }
        for (part, pieces) in parts.enumerated() {
            for piece in pieces {
                for number in [part, piece.file, piece.bytes.lowerBound, piece.bytes.count] { writer.write(number) }
            }
        }
    }

    /// Reads what ``SummarySpill/write(to:)`` wrote.
    ///
    /// - Returns: with the seed of the hashes; `nil` if there are no states.
    static func read(from reader: inout StateReader, _ files: [StageFile]) throws(CheckpointError) -> (Self, seed: UInt64?) {
        var pieces = Self(files: files)
        let count = try reader.count()
        let seed = count > 0 ? try reader.number() : nil
        try pieces.read(count, into: \.states, from: &reader)
        try pieces.read(try reader.count(), into: \.values, from: &reader)
        return (pieces, seed)
    }

    private mutating func read(
        _ count: Int, into parts: WritableKeyPath<Self, [[SummarySpill.Piece]]>, from reader: inout StateReader
    ) throws(CheckpointError) {
        for _ in 0..<count {
            var numbers: [Int] = []
            for _ in 0..<4 {
                guard let number = Int(exactly: try reader.number()) else { throw CheckpointError("invalid number") }
                numbers.append(number)
            }
            guard numbers[0] < SummarySpill.parts, numbers[1] < files.count else { throw CheckpointError("invalid part or file") }
            let size = files[numbers[1]].count
            guard numbers[2] <= size, numbers[3] <= size - numbers[2] else { throw CheckpointError("a file is shorter than it was") }
            let piece = SummarySpill.Piece(file: numbers[1], bytes: numbers[2]..<numbers[2] + numbers[3])
            self[keyPath: parts][numbers[0]].append(piece)
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
        while row < table.rows, scratch.byteCount < room.batchText, let entry = try merge.next(), let start = entry.baseAddress {
            for (column, cell) in (WrittenKey.cells(by + values.count, in: SortedEntries.value(at: start)) ?? []).enumerated() {
                table.row(row)[column] = cell.copied(to: scratch)
            }
            row += 1
        }
        return row
    }

    private func sort() throws(RunError) -> EntryMerge {
        let sorted = SortedEntries()
        let most = make().states.indices.map { index in values.lazy.filter { $0.state == index }.map(\.aggregate.listed).max() ?? 0 }
        try spill.gatherValues(most: most, make)
        for part in 0..<SummarySpill.parts {
            let state = make()
            try spill.read(part: part, into: state, most: most, make)
            noted(state)
            try add(state, to: sorted)
            if sorted.size > room.memory / 4 { try sorted.spill(to: room) }
        }
        return try EntryMerge(sorted.cursors())
    }

    private func add(_ state: SummaryState, to sorted: SortedEntries) throws(RunError) {
        let rows = SummaryResults(state, by: by, values, order: .first, batchText: room.batchText)
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
