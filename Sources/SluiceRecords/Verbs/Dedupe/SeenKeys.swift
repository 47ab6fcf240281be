/// A set of all keys seen so far: in memory, and in sorted files once memory is full.
///
/// A key takes 16 bytes, or 21 to 43 including the free slots of the set. When the set is full, it
/// is written to a file of sorted hashes. The first hash of every block of 256 stays in memory, so
/// that a lookup in a file takes one read of 4 KiB. A file is merged with the next older one while
/// that is less than twice as long, so that there are few files. Not for concurrent use.
final class SeenKeys {
    private let room: StageRoom
    /// The number of keys to keep in memory.
    private let most: Int
    private var keys = HashSet128()
    /// From the oldest and longest on.
    private(set) var files: [HashFile] = []

    init(_ room: StageRoom) {
        self.room = room
        // While a set grows, the old slots and twice as many new ones exist at the same time.
        most = max(64, room.memory / 64)
    }

    /// - Returns: for each key, whether it was not in the set.
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

    /// The keys that are not in ``files``, sorted.
    var inMemory: [Hash128] { keys.sorted }

    /// Restores an empty set from the keys in memory and the files of another.
    func restore(_ hashes: [Hash128], _ files: [StageFile]) throws(RunError) {
        for file in files { self.files.append(try HashFile(file)) }
        for hash in hashes { _ = keys.insert(hash) }
    }
}

/// Sorted hashes in a file.
final class HashFile {
    private static let block = 256
    private static let size = MemoryLayout<Hash128>.size

    let file: StageFile
    private(set) var count = 0
    /// The first hash of each block.
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

    /// Opens a file that is complete.
    init(_ file: StageFile) throws(RunError) {
        self.file = file
        count = file.count / Self.size
        for block in 0..<(count + Self.block - 1) / Self.block {
            guard try read(block: block) > 0 else { break }
            firsts.append(self[0])
        }
    }

    private init(in room: StageRoom) throws(RunError) {
        file = try room.folder.makeFile()
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
        // Find the last block whose first hash is not greater.
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

    /// - Returns: the number of hashes in the block.
    private func read(block: Int) throws(RunError) -> Int {
        try file.read(at: block * Self.block * Self.size, into: buffer.start, room: Self.block * Self.size) / Self.size
    }

    /// A hash of the block that was read last.
    private subscript(index: Int) -> Hash128 {
        UnsafeRawPointer(buffer.start).loadUnaligned(fromByteOffset: index * Self.size, as: Hash128.self)
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
