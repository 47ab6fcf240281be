import CBytes

/// A 128-bit hash of a key. Keys with equal hashes are treated as equal.
struct Hash128: BitwiseCopyable, Hashable, Comparable, Sendable {
    var high: UInt64
    var low: UInt64

    static func < (left: Hash128, right: Hash128) -> Bool {
        left.high == right.high ? left.low < right.low : left.high < right.high
    }
}

/// SipHash-2-4 with 128 bits of output (J.-P. Aumasson and D. J. Bernstein, "SipHash: a fast
/// short-input PRF", 2012).
struct SipHash: Sendable {
    private let first: UInt64
    private let second: UInt64

    init(key first: UInt64, _ second: UInt64) {
        self.first = first
        self.second = second
    }

    /// A hash with a constant key: the same in all runs and on all machines.
    static let fixed = SipHash(key: 0x736C_7569_6365_2D31, 0x6B65_7973_2D31_3238)

    var key: (UInt64, UInt64) { (first, second) }

    private struct State {
        var (v0, v1, v2, v3): (UInt64, UInt64, UInt64, UInt64)

        @inline(__always)
        mutating func round() {
            v0 &+= v1
            v2 &+= v3
            v1 = (v1 &<< 13 | v1 &>> 51) ^ v0
            v3 = (v3 &<< 16 | v3 &>> 48) ^ v2
            v0 = v0 &<< 32 | v0 &>> 32
            v2 &+= v1
            v0 &+= v3
            v1 = (v1 &<< 17 | v1 &>> 47) ^ v2
            v3 = (v3 &<< 21 | v3 &>> 43) ^ v0
            v2 = v2 &<< 32 | v2 &>> 32
        }

        @inline(__always)
        mutating func take(_ word: UInt64) {
            v3 ^= word
            round()
            round()
            v0 ^= word
        }

        @inline(__always)
        mutating func end() -> UInt64 {
            for _ in 0..<4 { round() }
            return v0 ^ v1 ^ v2 ^ v3
        }
    }

    private var start: State {
        State(
            v0: first ^ 0x736F_6D65_7073_6575, v1: second ^ 0x646F_7261_6E64_6F6D ^ 0xEE, v2: first ^ 0x6C79_6765_6E65_7261,
            v3: second ^ 0x7465_6462_7974_6573)
    }

    /// Hashes the 16 bytes of two numbers, in little-endian order.
    func hash(_ one: UInt64, _ other: UInt64) -> Hash128 {
        var state = start
        state.take(one)
        state.take(other)
        return Self.end(&state, count: 16, last: 0)
    }

    /// 8 bytes past the text must be readable.
    func hash(_ text: UnsafePointer<UInt8>, _ count: Int) -> Hash128 {
        var state = start
        var place = 0
        while place + 8 <= count {
            state.take(UInt64(littleEndian: cbytes_load64(text + place)))
            place += 8
        }
        var last: UInt64 = 0
        if place < count { last = UInt64(littleEndian: cbytes_load64(text + place)) & (~0 &>> UInt64(64 - 8 * (count - place))) }
        return Self.end(&state, count: count, last: last)
    }

    @inline(__always)
    private static func end(_ state: inout State, count: Int, last: UInt64) -> Hash128 {
        state.take(UInt64(truncatingIfNeeded: count) << 56 | last)
        state.v2 ^= 0xEE
        let first = state.end()
        state.v1 ^= 0xDD
        return Hash128(high: first, low: state.end())
    }
}

/// A set of hashes with open addressing, 16 bytes per slot.
struct HashSet128 {
    /// An empty slot is all zero.
    private var slots: [Hash128] = []
    private(set) var count = 0
    private var hasZero = false
    private static let zero = Hash128(high: 0, low: 0)

    /// - Returns: whether it was not in the set.
    @inline(__always)
    mutating func insert(_ hash: Hash128) -> Bool {
        guard hash != Self.zero else { return insertZero() }
        if 4 * (count + 1) > 3 * slots.count { widen() }
        let mask = slots.count - 1
        var index = Int(truncatingIfNeeded: hash.low) & mask
        while slots[index] != Self.zero {
            if slots[index] == hash { return false }
            index = (index + 1) & mask
        }
        slots[index] = hash
        count += 1
        return true
    }

    private mutating func insertZero() -> Bool {
        guard !hasZero else { return false }
        hasZero = true
        count += 1
        return true
    }

    private mutating func widen() {
        let old = slots
        slots = Array(repeating: Self.zero, count: max(8, 2 * old.count))
        let mask = slots.count - 1
        for hash in old where hash != Self.zero {
            var index = Int(truncatingIfNeeded: hash.low) & mask
            while slots[index] != Self.zero { index = (index + 1) & mask }
            slots[index] = hash
        }
    }

    func contains(_ hash: Hash128) -> Bool {
        guard hash != Self.zero else { return hasZero }
        guard !slots.isEmpty else { return false }
        let mask = slots.count - 1
        var index = Int(truncatingIfNeeded: hash.low) & mask
        while slots[index] != Self.zero {
            if slots[index] == hash { return true }
            index = (index + 1) & mask
        }
        return false
    }

    var sorted: [Hash128] {
        var all = slots.filter { $0 != Self.zero }
        all.sort()
        return hasZero ? [Self.zero] + all : all
    }

    /// Visits the hashes in no particular order.
    func forEach(_ body: (Hash128) -> Void) {
        if hasZero { body(Self.zero) }
        for hash in slots where hash != Self.zero { body(hash) }
    }

    /// The size of the slots in bytes.
    var bytes: Int { 16 * slots.count }
}
