import CBytes

/// The member names of the record before, in order, with all that stands between one value and the
/// next: records of one kind repeat them byte for byte, and then two vector comparisons take the
/// place of reading a key.
///
/// It also knows which of these names differ from all before them, so that a record of the same
/// kind needs no search for a name that stands in it twice.
///
/// Unsafe memory lives here: `entries` and `hashes` have room for ``capacity`` entries, `distinct`
/// for one number, for as long as ``withEmpty(_:)`` runs. What an entry holds was checked once; the
/// same bytes need no second check.
struct JSONShape {
    struct Entry {
        /// From after the value before to the first byte of this one: `,"status": `.
        var text: (UInt64, UInt64, UInt64, UInt64)
        /// A bit for each byte of the text. All of them, over text that no JSON holds, where there
        /// is no entry.
        var mask: UInt32
        var count: UInt32
        /// Where the key's quote stands in the text.
        var key: Int32
        /// -1 where it is not asked for.
        var column: Int32

        static let none = Entry(text: (~0, ~0, ~0, ~0), mask: ~0, count: 0, key: 0, column: -1)
    }

    static let capacity = 256
    /// The longest text that is remembered.
    static let longest = 31

    let entries: UnsafeMutablePointer<Entry>
    /// By the places of the names, also of those that are too long for an entry.
    private let hashes: UnsafeMutablePointer<NameHash>
    private let names: UnsafeMutablePointer<Names>

    private struct NameHash {
        /// Of the name, unescaped.
        var hash: UInt64 = 0
        /// A bit for each name before it, by the last six bits of its hash.
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

    /// As many names from the first are known to differ from each other; never all of them.
    @inline(__always)
    var distinctNames: Int { names.pointee.distinct }

    /// Whether a name may stand in the record twice. Forgotten with the next record.
    @inline(__always)
    var hasRepetition: Bool { names.pointee.isRepeated }

    func forgetRepetition() { names.pointee.isRepeated = false }

    /// Looks for the name of a member among those before it, and notes if it may be there: names of
    /// one hash are taken for the same, and so is any name in the last place, which many may share.
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

    /// Whether the text at `place` is that of the member.
    @inline(__always)
    func matches(_ place: UnsafePointer<UInt8>, _ member: Int) -> Bool {
        let entry = entries + member
        let same = cbytes_same32(place, UnsafeRawPointer(entry).assumingMemoryBound(to: UInt8.self))
        return ~same & entry.pointee.mask == 0
    }

    /// - Parameter hash: of the name, unescaped.
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
