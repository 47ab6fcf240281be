import CBytes

/// The member names of the previous record, in order, with all bytes between one value and the
/// next. Records of one kind repeat these bytes exactly, and then two vector comparisons replace
/// the parsing of a key.
///
/// It also tracks which of these names differ from all earlier ones, so that a record of the same
/// kind need not be searched for duplicate names.
///
/// Unsafe memory lives here: `entries` and `hashes` have room for ``capacity`` elements, `names`
/// for one, while ``withEmpty(_:)`` runs. The bytes of an entry were validated once; equal bytes
/// need no second validation.
struct JSONShape {
    struct Entry {
        /// The bytes from the end of the previous value to the start of this one: `,"status": `.
        var text: (UInt64, UInt64, UInt64, UInt64)
        /// A bit for each byte of the text. An unused entry has all bits set, over bytes that valid
        /// JSON does not contain.
        var mask: UInt32
        var count: UInt32
        /// The offset in the text of the key's quote.
        var key: Int32
        /// -1 if the member is not asked for.
        var column: Int32

        static let none = Entry(text: (~0, ~0, ~0, ~0), mask: ~0, count: 0, key: 0, column: -1)
    }

    static let capacity = 256
    /// The limit for the length of an entry's text.
    static let longest = 31

    let entries: UnsafeMutablePointer<Entry>
    /// By member index, including names that are too long for an entry.
    private let hashes: UnsafeMutablePointer<NameHash>
    private let names: UnsafeMutablePointer<Names>

    private struct NameHash {
        /// The hash of the unescaped name.
        var hash: UInt64 = 0
        /// A Bloom filter of the earlier names: one bit each, by the low six bits of the hash.
        var before: UInt64 = 0
    }

    private struct Names {
        var distinct = 0
        var isRepeated = false
    }

    static func withEmpty<Result>(_ body: (JSONShape) -> Result) -> Result {
        withUnsafeTemporaryAllocation(of: Entry.self, capacity: capacity) { entries in
            withUnsafeTemporaryAllocation(of: NameHash.self, capacity: capacity) { hashes in
                withUnsafeTemporaryAllocation(of: Names.self, capacity: 1) { names in
                    entries.initialize(repeating: .none)
                    hashes.initialize(repeating: NameHash())
                    names.initialize(repeating: Names())
                    guard let entries = entries.baseAddress, let hashes = hashes.baseAddress, let names = names.baseAddress else {
                        preconditionFailure("an allocation of \(capacity) entries has an address")
                    }
                    return body(JSONShape(entries: entries, hashes: hashes, names: names))
                }
            }
        }
    }

    /// The number of leading names known to differ from each other; always less than all.
    @inline(__always)
    var distinctNames: Int { names.pointee.distinct }

    /// Whether the record may have a duplicate name. Reset with the next record.
    @inline(__always)
    var hasRepetition: Bool { names.pointee.isRepeated }

    func forgetRepetition() { names.pointee.isRepeated = false }

    /// Searches for the name of a member among the earlier ones, and notes a possible duplicate:
    /// names with equal hashes, and any name in the last slot, which several names may share.
    @inline(never)
    func check(_ member: Int) {
        let name = hashes + member
        let bit: UInt64 = 1 << UInt64(name.pointee.hash & 63)
        let isFound = name.pointee.before & bit != 0 && isRepeated(member)
        guard !isFound, member < Self.capacity - 1 else {
            names.pointee.isRepeated = true
            return
        }
        name[1].before = name.pointee.before | bit
        if names.pointee.distinct == member { names.pointee.distinct = member + 1 }
    }

    private func isRepeated(_ member: Int) -> Bool {
        let hash = hashes[member].hash
        return (0..<member).contains { hashes[$0].hash == hash }
    }

    /// Whether the text at `place` equals that of the member.
    @inline(__always)
    func matches(_ place: UnsafePointer<UInt8>, _ member: Int) -> Bool {
        let entry = entries + member
        let same = cbytes_same32(place, UnsafeRawPointer(entry).assumingMemoryBound(to: UInt8.self))
        return ~same & entry.pointee.mask == 0
    }

    /// - Parameter hash: the hash of the unescaped name.
    func remember(
        _ start: UnsafePointer<UInt8>, key: UnsafePointer<UInt8>, value: UnsafePointer<UInt8>, column: Int, hash: UInt64, at member: Int
    ) {
        let count = value - start
        hashes[member].hash = hash
        names.pointee.distinct = min(names.pointee.distinct, member)
        check(member)
        guard count <= Self.longest else {
            entries[member] = .none
            return
        }
        entries[member] = Entry(
            text: (cbytes_load64(start), cbytes_load64(start + 8), cbytes_load64(start + 16), cbytes_load64(start + 24)),
            mask: 1 << UInt32(count) &- 1, count: UInt32(count), key: Int32(key - start), column: Int32(column))
    }
}
