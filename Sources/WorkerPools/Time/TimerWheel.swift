/// Identifies one entry of a ``TimerWheel``; stale once the entry has fired or was removed.
struct TimerID: Sendable, Hashable {
    var index: Int32
    var generation: UInt32
}

/// Deadlines in nanoseconds, kept in slots of 2^16 ns (66 µs); distant ones in a heap until they
/// come near.
///
/// Inserting and removing near entries is O(1). The scheme is the hashed wheel of Varghese and
/// Lauck (1987) with one level and an overflow heap, because pools' delays are either short
/// (sleeps, backoff) or few (timeouts).
struct TimerWheel<Payload> {
    private struct Node {
        var due: UInt64 = 0
        var payload: Payload?
        var next: Int32 = -1
        var generation: UInt32 = 0
        var isFar = false
    }

    private static var shift: UInt64 { 16 }
    private static var slotCount: Int { 2048 }

    private var nodes: ContiguousArray<Node> = []
    private var free: Int32 = -1
    private var slots: ContiguousArray<Int32>
    private var occupied: ContiguousArray<UInt64>
    private var far = FarTimers()
    /// The first tick that has not been fired yet.
    private var tick: UInt64
    private var near = 0
    private var removedFar = 0

    init(now: UInt64) {
        slots = ContiguousArray(repeating: -1, count: Self.slotCount)
        occupied = ContiguousArray(repeating: 0, count: Self.slotCount / 64)
        tick = now >> Self.shift
    }

    /// Reserves an entry without a deadline, so that a cancellation can name it before it is armed.
    mutating func reserve() -> TimerID {
        if free >= 0 {
            let index = free
            free = nodes[Int(index)].next
            return TimerID(index: index, generation: nodes[Int(index)].generation)
        }
        nodes.append(Node())
        return TimerID(index: Int32(nodes.count - 1), generation: 0)
    }

    /// Whether the entry is still reserved or armed.
    func contains(_ id: TimerID) -> Bool { nodes[Int(id.index)].generation == id.generation }

    mutating func arm(_ id: TimerID, due: UInt64, _ payload: Payload) {
        let index = Int(id.index)
        nodes[index].due = due
        nodes[index].payload = payload
        place(id)
    }

    mutating func insert(due: UInt64, _ payload: Payload) -> TimerID {
        let id = reserve()
        arm(id, due: due, payload)
        return id
    }

    /// Removes the entry.
    /// - Returns: its payload, if it was armed and had not fired. The entry is reused once its slot
    ///   passes.
    mutating func remove(_ id: TimerID) -> Payload? {
        let index = Int(id.index)
        guard nodes[index].generation == id.generation else { return nil }
        nodes[index].generation &+= 1
        guard let payload = nodes[index].payload else {
            release(id.index)
            return nil
        }
        nodes[index].payload = nil
        if nodes[index].isFar {
            removedFar += 1
            sweepFar()
        }
        return payload
    }

    /// Moves time on and appends the payloads that are due, slot by slot, oldest first.
    mutating func advance(to now: UInt64, into fired: inout [Payload]) {
        // A slot is fired once it has passed entirely, so nothing wakes early.
        let end = now >> Self.shift
        while tick < end {
            if near == 0 {
                tick = min(end, max(tick, far.first.map { $0.due >> Self.shift } ?? end))
            }
            bringNear()
            guard tick < end else { return }
            let slot = Int(truncatingIfNeeded: tick) & (Self.slotCount - 1)
            if slots[slot] >= 0 { fire(slot, into: &fired) }
            tick += 1
        }
    }

    /// When ``advance(to:into:)`` has something to do next, or nil if nothing waits. Removed
    /// entries may make it early.
    var nextDue: UInt64? {
        guard near > 0 else { return far.first.map { (($0.due >> Self.shift) + 1) << Self.shift } }
        let first = Int(truncatingIfNeeded: tick) & (Self.slotCount - 1)
        var word = first / 64
        var bits = occupied[word] & (~0 << UInt64(first % 64))
        var turned = 0
        while bits == 0 {
            word = (word + 1) % occupied.count
            bits = occupied[word]
            turned += 1
            guard turned <= occupied.count else { return nil }
        }
        let slot = word * 64 + bits.trailingZeroBitCount
        let distance = UInt64((slot - first + Self.slotCount) & (Self.slotCount - 1))
        return (tick + distance + 1) << Self.shift
    }

    private mutating func place(_ id: TimerID) {
        let due = nodes[Int(id.index)].due
        let at = max(due >> Self.shift, tick)
        if at - tick >= UInt64(Self.slotCount) {
            nodes[Int(id.index)].isFar = true
            far.insert(FarTimers.Entry(due: due, id: id))
        } else {
            link(id.index, at: at)
        }
    }

    private mutating func link(_ index: Int32, at tick: UInt64) {
        let slot = Int(truncatingIfNeeded: tick) & (Self.slotCount - 1)
        nodes[Int(index)].isFar = false
        nodes[Int(index)].next = slots[slot]
        slots[slot] = index
        occupied[slot / 64] |= 1 << UInt64(slot % 64)
        near += 1
    }

    private mutating func bringNear() {
        while let entry = far.first, entry.due >> Self.shift < tick + UInt64(Self.slotCount) {
            far.removeFirst()
            if nodes[Int(entry.id.index)].payload == nil {
                removedFar -= 1
                release(entry.id.index)
            } else {
                link(entry.id.index, at: max(entry.due >> Self.shift, tick))
            }
        }
    }

    /// Drops removed distant entries once they are the majority, so that long sleeps cut short do
    /// not pile up.
    private mutating func sweepFar() {
        guard removedFar > 64, removedFar > far.count / 2 else { return }
        var kept = FarTimers()
        for entry in far.entries {
            if nodes[Int(entry.id.index)].payload == nil {
                release(entry.id.index)
            } else {
                kept.insert(entry)
            }
        }
        far = kept
        removedFar = 0
    }

    private mutating func fire(_ slot: Int, into fired: inout [Payload]) {
        var index = slots[slot]
        slots[slot] = -1
        occupied[slot / 64] &= ~(1 << UInt64(slot % 64))
        let start = fired.count
        while index >= 0 {
            let next = nodes[Int(index)].next
            near -= 1
            if let payload = nodes[Int(index)].payload {
                fired.append(payload)
                nodes[Int(index)].payload = nil
                nodes[Int(index)].generation &+= 1
            }
            release(index)
            index = next
        }
        // The list is a stack; sleepers wake in the order in which they went to sleep.
        fired[start...].reverse()
    }

    private mutating func release(_ index: Int32) {
        nodes[Int(index)].isFar = false
        nodes[Int(index)].next = free
        free = index
    }
}
