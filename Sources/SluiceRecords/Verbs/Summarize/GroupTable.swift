import CBytes
import SluiceCEL

/// The groups that one worker has seen, numbered from 0: their keys, and where each was first seen.
///
/// A hash table with open addressing over the bytes of the keys: one probe per record, and
/// allocations only for new groups. A group takes about 100 bytes, at most twice its key, and what
/// its aggregates need. Not for concurrent use.
final class GroupTable {
    private struct Group {
        var hash: UInt64
        var keyStart: Int
        var keyCount: UInt32
        /// 0 if the key suffices to restore its values.
        var writtenCount: UInt32 = 0
        var writtenStart = 0
        var first: RecordPlace
    }

    /// The lower half is the group's number, from 1; the upper half is that of its hash.
    @exclusivity(unchecked) private var slots: [UInt64]
    @exclusivity(unchecked) private var groups: [Group] = []
    /// The keys, and the written forms of those that do not suffice.
    private let bytes = ByteBuffer(capacity: 4096)
    private let seed: UInt64

    /// - Parameter seed: the seed of the hash; results do not depend on it.
    init(seed: UInt64) {
        self.seed = seed
        slots = Array(repeating: 0, count: 256)
    }

    var count: Int { groups.count }

    /// The memory in use, in bytes.
    var size: Int { 8 * slots.capacity + groups.capacity * MemoryLayout<Group>.stride + bytes.capacity }

    /// Hashes eight bytes at a time by multiplying and folding. 8 bytes past the key must be
    /// readable.
    @inline(__always)
    func hash(_ key: UnsafePointer<UInt8>, _ count: Int) -> UInt64 {
        var hash = seed ^ UInt64(truncatingIfNeeded: count)
        var place = 0
        while place + 8 <= count {
            hash = Self.fold(hash ^ UInt64(littleEndian: cbytes_load64(key + place)))
            place += 8
        }
        if place < count {
            let rest = UInt64(littleEndian: cbytes_load64(key + place)) & (~0 &>> UInt64(64 - 8 * (count - place)))
            hash = Self.fold(hash ^ rest)
        }
        return Self.fold(hash)
    }

    @inline(__always)
    private static func fold(_ value: UInt64) -> UInt64 {
        let (high, low) = (value ^ 0x2D35_8DCC_AA6C_78A5).multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
        return high ^ low
    }

    /// The group with this key; `nil` if there is none.
    @inline(__always)
    func find(_ key: UnsafePointer<UInt8>, _ count: Int, hash: UInt64) -> Int? {
        let mask = slots.count - 1
        var index = Int(truncatingIfNeeded: hash) & mask
        while true {
            let slot = slots[index]
            if slot == 0 { return nil }
            if slot >> 32 == hash >> 32 {
                let number = Int(slot & 0xFFFF_FFFF) - 1
                let group = groups[number]
                if group.keyCount == count, cbytes_equal(bytes.start + group.keyStart, key, count) != 0 { return number }
            }
            index = (index + 1) & mask
        }
    }

    /// Adds a new group.
    ///
    /// - Parameter written: the written form of the key, if the key does not suffice; else empty.
    func insert(
        _ key: UnsafeBufferPointer<UInt8>, hash: UInt64, first: RecordPlace, written: UnsafeBufferPointer<UInt8>
    ) -> Int {
        if 8 * (groups.count + 1) > 5 * slots.count { widen() }
        var group = Group(hash: hash, keyStart: bytes.count, keyCount: UInt32(key.count), first: first)
        bytes.append(key)
        keep(written, in: &group)
        groups.append(group)
        place(hash, groups.count)
        return groups.count - 1
    }

    /// Of the group's key.
    func hash(of group: Int) -> UInt64 { groups[group].hash }

    /// The place of the group's first record.
    @inline(__always)
    func first(of group: Int) -> RecordPlace { groups[group].first }

    /// Updates the group for a record that comes before all seen so far.
    func move(_ group: Int, to first: RecordPlace, written: UnsafeBufferPointer<UInt8>) {
        groups[group].first = first
        keep(written, in: &groups[group])
    }

    private func keep(_ written: UnsafeBufferPointer<UInt8>, in group: inout Group) {
        if written.count > group.writtenCount {
            group.writtenStart = bytes.count
            bytes.append(written)
        } else if let start = written.baseAddress {
            (bytes.start + group.writtenStart).update(from: start, count: written.count)
        }
        group.writtenCount = UInt32(written.count)
    }

    private func widen() {
        slots = Array(repeating: 0, count: 2 * slots.count)
        for (number, group) in groups.enumerated() { place(group.hash, number + 1) }
    }

    private func place(_ hash: UInt64, _ number: Int) {
        let mask = slots.count - 1
        var index = Int(truncatingIfNeeded: hash) & mask
        while slots[index] != 0 { index = (index + 1) & mask }
        slots[index] = (hash >> 32) << 32 | UInt64(number)
    }
}

extension GroupTable {
    /// Valid until the next group is added.
    func key(of group: Int) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: bytes.start + groups[group].keyStart, count: Int(groups[group].keyCount))
    }

    /// The written form of the key; empty if the key suffices. Valid until the next group is added.
    func written(of group: Int) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: bytes.start + groups[group].writtenStart, count: Int(groups[group].writtenCount))
    }

    /// Merges the groups of another table with the same seed.
    ///
    /// - Returns: for each of its groups, the number in this table.
    func merge(_ other: GroupTable) -> [UInt32] {
        (0..<other.count).map { UInt32(add($0, of: other)) }
    }

    /// Merges one group of such a table.
    ///
    /// - Returns: its number in this one.
    func add(_ group: Int, of other: GroupTable) -> Int {
        let key = other.key(of: group)
        let hash = other.groups[group].hash
        let first = other.groups[group].first
        guard let start = key.baseAddress, let number = find(start, key.count, hash: hash) else {
            return insert(key, hash: hash, first: first, written: other.written(of: group))
        }
        if first < groups[number].first { move(number, to: first, written: other.written(of: group)) }
        return number
    }
}
