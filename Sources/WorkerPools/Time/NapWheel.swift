// Unsafe code: the slots are arrays at stable addresses that `deallocate` frees; every index is
// taken modulo their length.

/// Jobs that wait for at most 20 ms, in slots of 2^16 ns (66 µs).
///
/// They cannot be cancelled, so a slot is a plain list, which becomes runnable all at once. The
/// scheme is the hashed wheel of Varghese and Lauck (1987), one turn of which is 33 ms here.
struct NapWheel {
    private static let shift: UInt64 = 16
    private static let slotCount = 512

    private let slots: UnsafeMutablePointer<JobList>
    private let occupied: UnsafeMutablePointer<UInt64>
    /// The first tick that has not been fired yet.
    private var tick: UInt64
    private(set) var count = 0

    init(now: UInt64) {
        slots = .allocate(capacity: Self.slotCount)
        slots.initialize(repeating: JobList(), count: Self.slotCount)
        occupied = .allocate(capacity: Self.slotCount / 64)
        occupied.initialize(repeating: 0, count: Self.slotCount / 64)
        tick = now >> Self.shift
    }

    /// The wheel must be empty, and must not be used afterwards.
    func deallocate() {
        slots.deallocate()
        occupied.deallocate()
    }

    /// Whether ``fire(until:into:)`` would find anything.
    @inline(__always)
    func isDue(at now: UInt64) -> Bool { count > 0 && now >> Self.shift > tick }

    /// Whether a deadline less than a turn of the wheel after `now` can be inserted; if not, what
    /// is due by now has to be fired first.
    @inline(__always)
    mutating func reaches(_ due: UInt64, from now: UInt64) -> Bool {
        if count == 0 { tick = max(tick, now >> Self.shift) }
        return due >> Self.shift < tick + UInt64(Self.slotCount)
    }

    mutating func insert(_ job: UnownedJob, due: UInt64, _ spare: inout SpareBlocks) {
        let slot = Int(truncatingIfNeeded: max(due >> Self.shift, tick)) & (Self.slotCount - 1)
        slots[slot].append(job, &spare)
        occupied[slot / 64] |= 1 << UInt64(slot % 64)
        count += 1
    }

    /// Moves time on and appends the jobs that are due, slot by slot, oldest first. A slot is fired
    /// once it has passed entirely, so nothing wakes early.
    mutating func fire(until now: UInt64, into ready: inout JobList) {
        let end = now >> Self.shift
        while let next = nextOccupied, next < end {
            let slot = Int(truncatingIfNeeded: next) & (Self.slotCount - 1)
            count -= slots[slot].count
            ready.append(&slots[slot])
            occupied[slot / 64] &= ~(1 << UInt64(slot % 64))
            tick = next + 1
        }
        tick = max(tick, end)
    }

    /// When ``fire(until:into:)`` has something to do next, or nil if nothing waits.
    var nextDue: UInt64? { nextOccupied.map { ($0 + 1) << Self.shift } }

    private var nextOccupied: UInt64? {
        guard count > 0 else { return nil }
        let first = Int(truncatingIfNeeded: tick) & (Self.slotCount - 1)
        let words = Self.slotCount / 64
        var bits = occupied[first / 64] & (~0 << UInt64(first % 64))
        for turn in 0...words {
            let word = (first / 64 + turn) % words
            if turn > 0 { bits = occupied[word] }
            guard bits != 0 else { continue }
            let slot = word * 64 + bits.trailingZeroBitCount
            return tick + UInt64((slot - first + Self.slotCount) & (Self.slotCount - 1))
        }
        return nil
    }
}
