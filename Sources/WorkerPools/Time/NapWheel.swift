import DequeModule

/// Jobs that wait for at most 20 ms, in slots of 2^16 ns (66 µs).
///
/// They cannot be cancelled, so a slot is a plain list, which becomes runnable all at once. The
/// scheme is the hashed wheel of Varghese and Lauck (1987), one turn of which is 33 ms here.
struct NapWheel {
    private static let shift: UInt64 = 16
    private static let slotCount: UInt64 = 512

    private var slots = ContiguousArray<ContiguousArray<UnownedJob>>(repeating: [], count: Int(slotCount))
    /// The first tick that has not been fired yet.
    private var tick: UInt64
    private(set) var count = 0

    init(now: UInt64) { tick = now >> Self.shift }

    private static func slot(of tick: UInt64) -> Int { Int(truncatingIfNeeded: tick & (slotCount - 1)) }

    /// Whether ``fire(until:into:)`` would find anything.
    @inline(__always)
    func isDue(at now: UInt64) -> Bool { count > 0 && now >> Self.shift > tick }

    /// Whether a deadline less than a turn of the wheel after `now` can be inserted; if not, what
    /// is due by now has to be fired first.
    @inline(__always)
    mutating func reaches(_ due: UInt64, from now: UInt64) -> Bool {
        if count == 0 { tick = max(tick, now >> Self.shift) }
        return due >> Self.shift < tick + Self.slotCount
    }

    @inline(__always)
    mutating func insert(_ job: UnownedJob, due: UInt64) {
        slots[Self.slot(of: max(due >> Self.shift, tick))].append(job)
        count += 1
    }

    /// Moves time on and passes on the jobs that are due, slot by slot, oldest first. A slot is
    /// fired once it has passed entirely, so nothing wakes early.
    mutating func fire(until now: UInt64, into ready: inout Deque<UnownedJob>) {
        let end = now >> Self.shift
        while count > 0, tick < end {
            let slot = Self.slot(of: tick)
            count -= slots[slot].count
            ready.append(contentsOf: slots[slot])
            // The memory is given back: the next burst is in other slots.
            slots[slot] = []
            tick += 1
        }
        tick = max(tick, end)
    }

    /// When ``fire(until:into:)`` has something to do next, or nil if nothing waits.
    var nextDue: UInt64? {
        guard count > 0 else { return nil }
        return (tick..<tick + Self.slotCount).first { !slots[Self.slot(of: $0)].isEmpty }.map { ($0 + 1) << Self.shift }
    }
}
