/// All keys that were seen: a set in memory, and sorted files for those that do not fit.
///
/// A key takes 16 bytes, and 21 to 43 with the room of the set. When the set is full it becomes a
/// file of sorted hashes, of which the first of every block of 256 stays in memory: whether a key is
/// in a file takes one read of 4 KiB. A file is made one with the next older as long as that is
/// not twice as long, so that there are few. Used by one thread at a time.
final class SeenKeys {
    private let room: StageRoom
    /// So many keys are in memory.
    private let most: Int
    private var keys = HashSet128()
    /// From the oldest and longest on.
    private(set) var files: [HashFile] = []

    init(_ room: StageRoom) {
        self.room = room
        // A set that grows has twice its size, and the old one, for a moment.
        most = max(64, room.memory / 64)
    }

    /// - Returns: for each key whether it was not there.
    func insert(_ hashes: [Hash128]) throws(RunError) -> [Bool] {
        var isNew: [Bool] = []
        isNew.reserveCapacity(hashes.count)
        for hash in hashes { isNew.append(try insert(hash)) }
        return isNew
    }

    private func insert(_ hash: Hash128) throws(RunError) -> Bool {
        if files.isEmpty {
            guard keys.insert(hash) else { return false }
        } else {
            if keys.contains(hash) { return false }
            for file in files where try file.contains(hash) { return false }
            _ = keys.insert(hash)
        }
        if keys.count >= most { try spill() }
        return true
    }

    private func spill() throws(RunError) {
        files.append(try HashFile(keys.sorted, room))
        keys = HashSet128()
        while files.count > 1, files[files.count - 2].count < 2 * files[files.count - 1].count {
            let (last, before) = (files.removeLast(), files.removeLast())
            files.append(try HashFile(merging: before, last, room))
        }
    }

    /// In their order.
    func all() throws(RunError) -> [Hash128] {
        var all = keys.sorted
        for file in files { all += try file.all() }
        return all.sorted()
    }
}

/// Sorted hashes in a file.
final class HashFile {
    private static let block = 256
    private static let size = MemoryLayout<Hash128>.size

    private let file: RoomFile
    private(set) var count = 0
    /// The first of each block.
    private var firsts: [Hash128] = []
    private let buffer = ByteBuffer(capacity: HashFile.block * HashFile.size)

    convenience init(_ hashes: [Hash128], _ room: StageRoom) throws(RunError) {
        try self.init(in: room)
        for hash in hashes { try append(hash) }
        try flush()
    }

    convenience init(merging left: HashFile, _ right: HashFile, _ room: StageRoom) throws(RunError) {
        try self.init(in: room)
        let (left, right) = (Cursor(left), Cursor(right))
        var (first, second) = (try left.next(), try right.next())
        while let hash = first ?? second {
            if let other = second, other < hash {
                try append(other)
                second = try right.next()
            } else if first != nil {
                try append(hash)
                first = try left.next()
            } else {
                try append(hash)
                second = try right.next()
            }
        }
        try flush()
    }

    private init(in room: StageRoom) throws(RunError) {
        file = try RoomFile(in: room.folder)
    }

    private func append(_ hash: Hash128) throws(RunError) {
        if count % Self.block == 0 { firsts.append(hash) }
        withUnsafeBytes(of: hash) { buffer.append($0.bindMemory(to: UInt8.self)) }
        count += 1
        if buffer.count == Self.block * Self.size { try flush() }
    }

    private func flush() throws(RunError) {
        try file.append(buffer.filled)
        buffer.count = 0
    }

    func contains(_ hash: Hash128) throws(RunError) -> Bool {
        // The last block whose first is not after the hash.
        var (low, high) = (0, firsts.count)
        while low < high {
            let middle = (low + high) / 2
            if hash < firsts[middle] { high = middle } else { low = middle + 1 }
        }
        guard low > 0 else { return false }
        let found = try read(block: low - 1)
        (low, high) = (0, found)
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < hash { low = middle + 1 } else { high = middle }
        }
        return low < found && self[low] == hash
    }

    /// - Returns: how many hashes it has.
    private func read(block: Int) throws(RunError) -> Int {
        try file.read(at: block * Self.block * Self.size, into: buffer.start, room: Self.block * Self.size) / Self.size
    }

    /// Of the block that was read last.
    private subscript(index: Int) -> Hash128 {
        UnsafeRawPointer(buffer.start).loadUnaligned(fromByteOffset: index * Self.size, as: Hash128.self)
    }

    func all() throws(RunError) -> [Hash128] {
        let cursor = Cursor(self)
        var all: [Hash128] = []
        while let hash = try cursor.next() { all.append(hash) }
        return all
    }

    private final class Cursor {
        private let file: HashFile
        private var block = 0
        private var place = 0
        private var count = 0

        init(_ file: HashFile) {
            self.file = file
        }

        func next() throws(RunError) -> Hash128? {
            if place == count {
                count = try file.read(block: block)
                block += 1
                place = 0
                guard count > 0 else { return nil }
            }
            defer { place += 1 }
            return file[place]
        }
    }
}
