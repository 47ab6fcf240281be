import SluiceCEL

/// Serialization of the state, for a checkpoint or another machine. Equal states give equal bytes.
///
/// Numbers are in groups of seven bits (``StateWriter``), text is preceded by its length. The order
/// is:
/// - the version, 1;
/// - the shape: the number of values in a key, the number of aggregates, and their names;
/// - the number of groups, then the groups ordered by the bytes of their keys, each with its key
///   (``GroupKey``); input, offset and part of its first record; the written form of the key
///   (``WrittenKey``), or nothing; and the state of each aggregate.
extension SummaryState {
    static let version: UInt64 = 1

    /// What states must have in common to be merged.
    struct Shape: Equatable {
        var by: Int
        var aggregates: [String]
    }

    func bytes(_ shape: Shape) -> [UInt8] {
        bytes(shape, of: (0..<groups.count).sorted { groups.key(of: $0).lexicographicallyPrecedes(groups.key(of: $1)) })
    }

    /// The encoding of some of the groups, in the given order.
    func bytes(_ shape: Shape, of some: [Int]) -> [UInt8] {
        var writer = StateWriter()
        writer.write(Self.version)
        writer.write(shape.by)
        writer.write(shape.aggregates.count)
        for name in shape.aggregates { writer.write(name) }
        writer.write(some.count)
        for group in some {
            writer.write(groups.key(of: group))
            groups.first(of: group).write(to: &writer)
            writer.write(groups.written(of: group))
            for states in states { states.write(group, to: &writer) }
        }
        return writer.bytes
    }

    /// Reads into a state that is still empty.
    func read(_ bytes: [UInt8], _ shape: Shape) throws(CheckpointError) {
        var reader = StateReader(bytes)
        guard try reader.number() == Self.version else { throw CheckpointError("the state has another version") }
        try Self.check(&reader, shape)
        let count = try reader.count()
        for _ in 0..<count {
            let group = try readGroup(&reader, shape.by)
            for states in states {
                states.grow(to: groups.count)
                try states.read(group, from: &reader)
            }
        }
        guard reader.isAtEnd else { throw CheckpointError("unexpected bytes after the state") }
    }

    private static func check(_ reader: inout StateReader, _ shape: Shape) throws(CheckpointError) {
        let by = try reader.number()
        var names: [String] = []
        for _ in 0..<(try reader.count()) { names.append(try reader.string()) }
        guard by == UInt64(shape.by), names.count == shape.aggregates.count, zip(names, shape.aggregates).allSatisfy({ $0 == $1 }) else {
            throw CheckpointError("the state has other aggregates")
        }
    }

    private func readGroup(_ reader: inout StateReader, _ by: Int) throws(CheckpointError) -> Int {
        let key = try reader.text()
        let place = try RecordPlace(from: &reader)
        let written = try reader.text()
        guard Self.isKey(key, by, needsWritten: written.isEmpty) else { throw CheckpointError("invalid key") }
        if !written.isEmpty, WrittenKey.cells(by, in: written) == nil { throw CheckpointError("invalid text of a key") }
        guard let start = key.baseAddress else { throw CheckpointError("invalid key") }
        let hash = groups.hash(start, key.count)
        guard groups.find(start, key.count, hash: hash) == nil else { throw CheckpointError("duplicate group") }
        return groups.insert(key, hash: hash, first: place, written: written)
    }

    static func isKey(_ key: UnsafeBufferPointer<UInt8>, _ by: Int, needsWritten: Bool) -> Bool {
        var reader = GroupKeyReader(key)
        for _ in 0..<by {
            guard let value = reader.next(), !needsWritten || value.cell.kind != .boxed else { return false }
        }
        return reader.isAtEnd
    }

    /// Adds the group of all records, which has an empty key, if no record was seen.
    func addWhole() {
        guard groups.count == 0 else { return }
        let nothing = UnsafeBufferPointer(start: UnsafePointer(keys.start), count: 0)
        _ = groups.insert(nothing, hash: groups.hash(keys.start, 0), first: .none, written: nothing)
        for states in states { states.grow(to: 1) }
    }
}
