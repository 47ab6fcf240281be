internal import DequeModule

/// The uncommitted elements of one part of a source.
struct WindowPart<Payload> {
    enum Slot {
        case pending
        case settled(Payload, weight: Int)
        /// Settled with nothing to commit; still counted until it is the part's first.
        case dropped
    }

    enum End { case ended, cut }

    private var slots: Deque<Slot> = []
    /// The number of the element in `slots.first`, counted from the part's beginning.
    private var base = 0
    private var end: End?
    var isReserved = false
    /// Elements admitted and not settled; only counted where any order will do.
    var outstanding = 0

    var isEmpty: Bool { slots.isEmpty && outstanding == 0 && !isReserved }
    var isComplete: Bool { end == .ended && isEmpty }
    var isCutOff: Bool { end == .cut && isEmpty }

    var isFrontSettled: Bool {
        if case .settled? = slots.first { true } else { false }
    }

    /// The number of the admitted element.
    mutating func admit(keepingSlot: Bool) -> Int {
        isReserved = false
        if keepingSlot {
            slots.append(.pending)
            return base + slots.count - 1
        }
        outstanding += 1
        base += 1
        return base - 1
    }

    mutating func settle(_ sequence: Int, _ slot: Slot) { slots[sequence - base] = slot }

    /// Whether a reserved place comes free by it.
    mutating func close(as end: End) -> Bool {
        self.end = end
        defer { isReserved = false }
        return isReserved
    }

    mutating func takeFront() -> (Payload, weight: Int)? {
        guard case .settled(let payload, let weight)? = slots.first else { return nil }
        slots.removeFirst()
        base += 1
        return (payload, weight)
    }

    /// The number of places that come free because nothing stands before them.
    mutating func removeDropped() -> Int {
        var count = 0
        while case .dropped? = slots.first {
            slots.removeFirst()
            count += 1
        }
        base += count
        return count
    }
}
