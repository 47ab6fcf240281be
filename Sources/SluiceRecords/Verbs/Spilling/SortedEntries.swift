import CBytes

/// Entries of a key and a value, ordered by the bytes of the keys once sorted; spilled to files if
/// there are many.
///
/// Unsafe memory lives here: an entry is eight bytes (the lengths of key and value), the key and
/// the value, beginning at `start` of its ``Entry``. Not for concurrent use.
final class SortedEntries {
    typealias Text = UnsafeBufferPointer<UInt8>

    struct Entry: OrderedByBits {
        /// See ``OrderBits``; set when they are sorted.
        var bits: UInt64 = 0
        var start: Int
    }

    /// The number of entries wanted from the start of the order; `nil` for all.
    private let limit: Int?
    private var bytes = ByteBuffer(capacity: 4096)
    @exclusivity(unchecked) private var entries: [Entry] = []
    @exclusivity(unchecked) private var isSorted = true
    /// The key of the last wanted entry, once there are `limit` entries. Greater keys can be
    /// dropped.
    private var last: [UInt8]?
    private(set) var runs: [SortedRun] = []

    /// - Parameter runs: entries that are in files already.
    init(limit: Int? = nil, runs: [SortedRun] = []) {
        self.limit = limit
        self.runs = runs
    }

    /// The memory in use, in bytes.
    var size: Int { bytes.count + entries.count * MemoryLayout<Entry>.stride }

    /// Whether an entry with this key may be within the limit.
    @inline(__always)
    func wants(_ key: Text) -> Bool {
        guard let last else { return true }
        return last.withUnsafeBufferPointer { Self.compare(key, $0) < 0 }
    }

    func append(_ key: Text, _ value: Text) {
        let bytes = bytes
        let start = bytes.count
        bytes.reserve(8 + key.count + value.count)
        let place = UnsafeMutableRawPointer(bytes.start + start)
        place.storeBytes(of: UInt32(key.count).littleEndian, as: UInt32.self)
        place.storeBytes(of: UInt32(value.count).littleEndian, toByteOffset: 4, as: UInt32.self)
        bytes.count += 8
        bytes.append(key)
        bytes.append(value)
        entries.append(Entry(start: start))
        isSorted = entries.count == 1
        if let limit, entries.count >= 2 * limit + 1024 { cut(to: limit) }
    }

    @inline(__always)
    static func compare(_ left: Text, _ right: Text) -> Int {
        guard let leftStart = left.baseAddress, let rightStart = right.baseAddress else { return left.count - right.count }
        return Int(cbytes_compare(leftStart, left.count, rightStart, right.count))
    }

    private func key(_ entry: Entry) -> Text { Self.key(at: bytes.start + entry.start) }

    static func key(at start: UnsafePointer<UInt8>) -> Text {
        let count = UInt32(littleEndian: UnsafeRawPointer(start).loadUnaligned(as: UInt32.self))
        return Text(start: start + 8, count: Int(count))
    }

    static func value(at start: UnsafePointer<UInt8>) -> Text {
        let key = Self.key(at: start)
        let count = UInt32(littleEndian: UnsafeRawPointer(start).loadUnaligned(fromByteOffset: 4, as: UInt32.self))
        return Text(start: start + 8 + key.count, count: Int(count))
    }

    /// The eight bytes of lengths, the key and the value.
    @inline(__always)
    static func entry(at start: UnsafePointer<UInt8>) -> Text {
        Text(start: start, count: 8 + key(at: start).count + value(at: start).count)
    }

    private func size(of entry: Entry) -> Int { Self.entry(at: bytes.start + entry.start).count }

    private func sort() {
        guard !isSorted, let first = entries.first else { return }
        var bits = OrderBits(of: key(first))
        for entry in entries { bits.add(key(entry)) }
        let places = bits.places
        for index in entries.indices { entries[index].bits = OrderBits.number(of: key(entries[index]), places) }
        entries.sortByBits()
        // Those with the same bits.
        var start = 0
        while start < entries.count {
            let end = entries[start...].firstIndex { $0.bits != entries[start].bits } ?? entries.count
            if end - start > 1 { entries[start..<end].sort { Self.compare(key($0), key($1)) < 0 } }
            start = end
        }
        isSorted = true
    }

    /// Keeps only the first entries, in new memory.
    private func cut(to count: Int) {
        sort()
        guard entries.count > count else { return }
        entries.removeSubrange(count...)
        let kept = ByteBuffer(capacity: entries.reduce(0) { $0 + size(of: $1) })
        for index in entries.indices {
            let size = size(of: entries[index])
            let start = kept.count
            kept.append(Text(start: bytes.start + entries[index].start, count: size))
            entries[index].start = start
        }
        bytes = kept
        last = entries.last.map { Array(key($0)) }
    }

    /// Spills all entries in memory to a file.
    func spill(to room: StageRoom) throws(RunError) {
        guard !entries.isEmpty else { return }
        runs.append(try SortedRun(merging: [inMemory()], limit: limit, in: room))
        entries.removeAll(keepingCapacity: true)
        bytes.count = 0
        if runs.count >= Self.mostRuns { try mergeRuns(room) }
    }

    /// The number of files at which the shorter half of them is merged into one, so that an entry
    /// is written again a few times only.
    private static let mostRuns = 64

    private func mergeRuns(_ room: StageRoom) throws(RunError) {
        runs.sort { $0.size > $1.size }
        let shorter = runs[(runs.count / 2)...]
        let merged = try SortedRun(merging: shorter.map { SortedRun.Cursor($0) }, limit: limit, in: room)
        runs.removeSubrange((runs.count / 2)...)
        runs.append(merged)
    }

    /// Several workers' entries as one, those in memory in one file; or in memory if they take at
    /// most `most` bytes together.
    convenience init(joining all: [SortedEntries], limit: Int?, inMemory most: Int, _ room: StageRoom) throws(RunError) {
        self.init(limit: limit, runs: all.flatMap(\.runs))
        let cursors = all.filter { !$0.entries.isEmpty }.map { $0.inMemory() }
        if all.reduce(0, { $0 + $1.size }) > most {
            runs.append(try SortedRun(merging: cursors, limit: limit, in: room))
        } else {
            let merge = try EntryMerge(cursors)
            while let entry = try merge.next(), let start = entry.baseAddress { append(Self.key(at: start), Self.value(at: start)) }
        }
        if runs.count >= Self.mostRuns { try mergeRuns(room) }
    }

    /// Cursors over all entries, each in order. No entry may be added while they are in use.
    func cursors() -> [any EntryCursor] {
        (entries.isEmpty ? [] : [inMemory()]) + runs.map { SortedRun.Cursor($0) }
    }

    /// A cursor over the entries in memory, in order. No entry may be added while it is in use.
    func inMemory() -> any EntryCursor {
        sort()
        if let limit { cut(to: limit) }
        return MemoryCursor(of: self)
    }

    /// A cursor over the entries in memory.
    private final class MemoryCursor: EntryCursor {
        private static let ahead = 8
        private let entries: [Entry]
        private let bytes: ByteBuffer
        @exclusivity(unchecked) private var place = 0

        init(of all: SortedEntries) {
            (entries, bytes) = (all.entries, all.bytes)
        }

        func next() throws(RunError) -> Text? {
            guard place < entries.count else { return nil }
            let start = UnsafePointer(bytes.start + entries[place].start)
            place += 1
            // In their order, entries are anywhere in memory.
            if place + Self.ahead < entries.count { cbytes_prefetch(bytes.start + entries[place + Self.ahead].start) }
            return SortedEntries.entry(at: start)
        }
    }
}

/// A sequence of entries in order, each with its eight bytes, its key and its value. An entry is
/// valid until the next one is requested.
protocol EntryCursor: AnyObject {
    func next() throws(RunError) -> UnsafeBufferPointer<UInt8>?
}

/// Sorted entries in a file.
final class SortedRun: Sendable {
    let file: StageFile
    private static let pieceBytes = 256 << 10

    init(_ file: StageFile) {
        self.file = file
    }

    /// Writes the entries of several cursors to a new file.
    ///
    /// - Parameter limit: the number of entries wanted; `nil` for all.
    init(merging cursors: [any EntryCursor], limit: Int?, in room: StageRoom) throws(RunError) {
        file = try room.folder.makeFile()
        let buffer = ByteBuffer(capacity: Self.pieceBytes)
        let merge = try EntryMerge(cursors)
        var left = limit ?? .max
        while left > 0, let entry = try merge.next() {
            buffer.append(entry)
            left -= 1
            guard buffer.count >= Self.pieceBytes else { continue }
            try file.append(buffer.filled)
            buffer.count = 0
        }
        try file.append(buffer.filled)
    }

    /// In bytes.
    var size: Int { file.count }

    final class Cursor: EntryCursor {
        private let run: SortedRun
        private let buffer = ByteBuffer(capacity: 64 << 10)
        /// The number of bytes read from the file.
        private var read = 0
        /// The position in the buffer.
        @exclusivity(unchecked) private var place = 0

        init(_ run: SortedRun) {
            self.run = run
        }

        func next() throws(RunError) -> UnsafeBufferPointer<UInt8>? {
            guard try fill(8) else {
                guard buffer.count == place else { throw run.file.error("a file ends inside a record") }
                return nil
            }
            let start = UnsafePointer(buffer.start + place)
            let size = SortedEntries.entry(at: start).count
            guard try fill(size) else { throw run.file.error("a file ends inside a record") }
            defer { place += size }
            return UnsafeBufferPointer(start: buffer.start + place, count: size)
        }

        /// - Returns: whether `count` bytes are available from `place` on.
        private func fill(_ count: Int) throws(RunError) -> Bool {
            if buffer.count - place >= count { return true }
            let rest = buffer.count - place
            buffer.start.update(from: buffer.start + place, count: rest)
            buffer.count = rest
            place = 0
            buffer.reserve(max(count - rest, buffer.capacity - rest))
            let found = try run.file.read(at: read, into: buffer.start + rest, room: buffer.capacity - rest)
            read += found
            buffer.count += found
            return buffer.count >= count
        }
    }
}

/// A merge of several cursors, by a tree of losers (Knuth, "The Art of Computer Programming",
/// 5.4.1): each entry is compared once on each level.
final class EntryMerge: EntryCursor {
    private typealias Text = UnsafeBufferPointer<UInt8>

    private let cursors: [any EntryCursor]
    /// The next entry of each cursor; `nil` at its end.
    @exclusivity(unchecked) private var heads: [Text?]
    /// The cursor that lost at each inner node of the tree, whose leaves are the cursors; the one
    /// that won at 0.
    @exclusivity(unchecked) private var losers: [Int]
    @exclusivity(unchecked) private var isGiven = false

    init(_ cursors: [any EntryCursor]) throws(RunError) {
        self.cursors = cursors
        heads = []
        losers = [Int](repeating: Self.nobody, count: max(1, cursors.count))
        for cursor in cursors { heads.append(try cursor.next()) }
        for cursor in cursors.indices { play(cursor) }
    }

    /// Nobody has played at this node yet.
    private static let nobody = -1

    func next() throws(RunError) -> UnsafeBufferPointer<UInt8>? {
        let winner = losers[0]
        guard winner != Self.nobody, heads[winner] != nil else { return nil }
        // The entry returned last was valid until now.
        if isGiven {
            heads[winner] = try cursors[winner].next()
            play(winner)
        }
        isGiven = true
        return heads[losers[0]]
    }

    /// Lets a cursor with a new entry compete, from its leaf up.
    private func play(_ cursor: Int) {
        var winner = cursor
        var node = (cursor + cursors.count) / 2
        while node > 0 {
            let other = losers[node]
            guard other != Self.nobody else {
                losers[node] = winner
                return
            }
            if precedes(other, winner) { (losers[node], winner) = (winner, other) }
            node /= 2
        }
        losers[0] = winner
    }

    private func precedes(_ cursor: Int, _ other: Int) -> Bool {
        guard let left = heads[cursor]?.baseAddress else { return false }
        guard let right = heads[other]?.baseAddress else { return true }
        let order = SortedEntries.compare(SortedEntries.key(at: left), SortedEntries.key(at: right))
        return order != 0 ? order < 0 : cursor < other
    }
}
