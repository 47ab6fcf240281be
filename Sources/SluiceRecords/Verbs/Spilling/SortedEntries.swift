import CBytes

/// Entries of a key and a value, ordered by the bytes of the keys once sorted; spilled to files if
/// there are many.
///
/// Unsafe memory lives here: an entry is eight bytes (the lengths of key and value), the key and
/// the value, beginning at `start` of its ``Entry``. Not for concurrent use.
final class SortedEntries {
    typealias Text = UnsafeBufferPointer<UInt8>

    private struct Entry {
        /// See ``OrderBits``; set when they are sorted.
        var bits: UInt64 = 0
        var start: Int
    }

    /// The number of entries wanted from the start of the order; `nil` for all.
    private let limit: Int?
    private var bytes = ByteBuffer(capacity: 4096)
    private var entries: [Entry] = []
    private var isSorted = true
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

    private func size(of entry: Entry) -> Int { 8 + key(entry).count + Self.value(at: bytes.start + entry.start).count }

    private func sort() {
        guard !isSorted, let first = entries.first else { return }
        var bits = OrderBits(of: key(first))
        for entry in entries { bits.add(key(entry)) }
        let places = bits.places
        for index in entries.indices { entries[index].bits = OrderBits.number(of: key(entries[index]), places) }
        entries.sort { left, right in
            left.bits != right.bits ? left.bits < right.bits : Self.compare(key(left), key(right)) < 0
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
        private let all: SortedEntries
        private var place = 0

        init(of all: SortedEntries) {
            self.all = all
        }

        func next() throws(RunError) -> Text? {
            guard place < all.entries.count else { return nil }
            let entry = all.entries[place]
            place += 1
            // In their order, entries are anywhere in memory.
            if place + Self.ahead < all.entries.count { cbytes_prefetch(all.bytes.start + all.entries[place + Self.ahead].start) }
            return Text(start: all.bytes.start + entry.start, count: all.size(of: entry))
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
        private var place = 0

        init(_ run: SortedRun) {
            self.run = run
        }

        func next() throws(RunError) -> UnsafeBufferPointer<UInt8>? {
            guard try fill(8) else {
                guard buffer.count == place else { throw run.file.error("a file ends inside a record") }
                return nil
            }
            let start = UnsafePointer(buffer.start + place)
            let size = 8 + SortedEntries.key(at: start).count + SortedEntries.value(at: start).count
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

/// A merge of several cursors, by a heap of their next entries.
final class EntryMerge: EntryCursor {
    private struct Head {
        var entry: UnsafeBufferPointer<UInt8>
        var cursor: any EntryCursor

        var key: UnsafeBufferPointer<UInt8> {
            entry.baseAddress.map { SortedEntries.key(at: $0) } ?? UnsafeBufferPointer(start: nil, count: 0)
        }
    }

    private var heap: [Head] = []
    private var isGiven = false

    init(_ cursors: [any EntryCursor]) throws(RunError) {
        for cursor in cursors {
            if let entry = try cursor.next() { heap.append(Head(entry: entry, cursor: cursor)) }
        }
        for index in heap.indices.reversed() { sink(index) }
    }

    func next() throws(RunError) -> UnsafeBufferPointer<UInt8>? {
        // The entry returned last was valid until now.
        if isGiven, !heap.isEmpty {
            if let entry = try heap[0].cursor.next() {
                heap[0].entry = entry
            } else {
                let last = heap.removeLast()
                if !heap.isEmpty { heap[0] = last }
            }
            if !heap.isEmpty { sink(0) }
        }
        isGiven = true
        return heap.first?.entry
    }

    private func sink(_ index: Int) {
        var index = index
        while true {
            var least = index
            for child in [2 * index + 1, 2 * index + 2] where child < heap.count {
                if SortedEntries.compare(heap[child].key, heap[least].key) < 0 { least = child }
            }
            guard least != index else { return }
            heap.swapAt(index, least)
            index = least
        }
    }
}
