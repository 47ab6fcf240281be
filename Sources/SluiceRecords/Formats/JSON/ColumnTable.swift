import CBytes

/// Maps a key's bytes to its column, usually with one probe and one comparison of eight bytes.
///
/// Uses open addressing with at least twice as many slots as keys. Unsafe memory: reads 8 bytes
/// from the start of a key, which the padding after the record covers.
struct ColumnTable: Sendable {
    private struct Slot {
        /// The first eight bytes of the key, zero-padded.
        var head: UInt64 = 0
        var count = -1
        var column = -1
        /// The offset in `tails` of the key's ninth byte.
        var tail = 0
    }

    private var slots: [Slot]
    private var tails: [UInt8] = []
    private let shift: UInt64

    /// Of duplicate names, the first wins.
    init(_ columns: [String]) {
        var bits: UInt64 = 4
        while columns.count * 2 > 1 << bits { bits += 1 }
        shift = 64 - bits
        slots = Array(repeating: Slot(), count: 1 << bits)
        for (column, name) in columns.enumerated() {
            let bytes = Array(name.utf8)
            let padded = bytes + Array(repeating: 0, count: 8)
            padded.withUnsafeBufferPointer { padded in
                guard let start = padded.baseAddress, self.column(start, bytes.count) < 0 else { return }
                let head = Self.head(start, bytes.count)
                var index = Int(Self.mixed(head, start, bytes.count) >> shift)
                while slots[index].count >= 0 { index = (index + 1) & (slots.count - 1) }
                slots[index] = Slot(head: head, count: bytes.count, column: column, tail: tails.count)
            }
            tails += bytes.dropFirst(8)
        }
    }

    /// The column of the key; -1 if there is none.
    func column(_ key: UnsafePointer<UInt8>, _ count: Int) -> Int { find(key, count).column }

    /// The column, and a hash of all bytes of the name.
    func find(_ key: UnsafePointer<UInt8>, _ count: Int) -> (column: Int, hash: UInt64) {
        let head = Self.head(key, count)
        let mixed = Self.mixed(head, key, count)
        let hash = (count <= 16 ? mixed : cbytes_hash(key, count)) >> 32
        var index = Int(mixed >> shift)
        while slots[index].count >= 0 {
            let slot = slots[index]
            if slot.head == head, slot.count == count, count <= 8 || hasTail(slot, key, count) { return (slot.column, hash) }
            index = (index + 1) & (slots.count - 1)
        }
        return (-1, hash)
    }

    private func hasTail(_ slot: Slot, _ key: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        for offset in 8..<count where tails[slot.tail + offset - 8] != key[offset] { return false }
        return true
    }

    @inline(__always)
    private static func head(_ key: UnsafePointer<UInt8>, _ count: Int) -> UInt64 {
        let word = UInt64(littleEndian: cbytes_load64(key))
        if count >= 8 { return word }
        return count == 0 ? 0 : word & (~0 >> UInt64(64 - 8 * count))
    }

    /// Mixes a key's first eight bytes, last eight bytes and length.
    @inline(__always)
    private static func mixed(_ head: UInt64, _ key: UnsafePointer<UInt8>, _ count: Int) -> UInt64 {
        let last = count > 8 ? cbytes_load64(key + count - 8) : 0
        return (head ^ (last &* 0xC2B2_AE3D_27D4_EB4F) &+ UInt64(count)) &* 0x9E37_79B9_7F4A_7C15
    }
}
