import CBytes

/// The member names of the record before, in order, with all that stands between one value and the next: records of one kind repeat them
/// byte for byte, and then two vector comparisons take the place of reading a key.
///
/// Unsafe memory lives here: `entries` has room for ``capacity`` entries for as long as ``withEmpty(_:)`` runs. What an entry holds was
/// checked once; the same bytes need no second check.
struct JSONShape {
    struct Entry {
        /// From behind the value before to the first byte of this one: `,"status": `.
        var text: (UInt64, UInt64, UInt64, UInt64)
        /// A bit for each byte of the text. All of them, over text that no JSON holds, where there is no entry.
        var mask: UInt32
        var count: UInt32
        /// Where the key's quote stands in the text.
        var key: Int32
        /// -1 where nobody asks for it.
        var column: Int32

        static let none = Entry(text: (~0, ~0, ~0, ~0), mask: ~0, count: 0, key: 0, column: -1)
    }

    static let capacity = 64
    /// The longest text that is remembered.
    static let longest = 31

    let entries: UnsafeMutablePointer<Entry>

    static func withEmpty<Result>(_ body: (JSONShape) -> Result) -> Result {
        withUnsafeTemporaryAllocation(of: Entry.self, capacity: capacity) { buffer in
            buffer.initialize(repeating: .none)
            guard let base = buffer.baseAddress else { preconditionFailure("an allocation of \(capacity) entries has an address") }
            return body(JSONShape(entries: base))
        }
    }

    /// Whether the text at `place` is that of the member.
    @inline(__always)
    func matches(_ place: UnsafePointer<UInt8>, _ member: Int) -> Bool {
        let entry = entries + member
        let same = cbytes_same32(place, UnsafeRawPointer(entry).assumingMemoryBound(to: UInt8.self))
        return ~same & entry.pointee.mask == 0
    }

    func remember(_ start: UnsafePointer<UInt8>, key: UnsafePointer<UInt8>, value: UnsafePointer<UInt8>, column: Int, at member: Int) {
        let count = value - start
        guard count <= Self.longest else {
            entries[member] = .none
            return
        }
        entries[member] = Entry(
            text: (cbytes_load64(start), cbytes_load64(start + 8), cbytes_load64(start + 16), cbytes_load64(start + 24)),
            mask: 1 << UInt32(count) &- 1, count: UInt32(count), key: Int32(key - start), column: Int32(column))
    }
}
