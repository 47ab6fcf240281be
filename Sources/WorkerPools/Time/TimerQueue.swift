import HeapModule

/// Deadlines in nanoseconds, each with something to do then. A removed entry stays in the heap
/// until it is due or most of the heap has been removed.
struct TimerQueue<Payload> {
    /// Entries with the same deadline fire in the order in which they were inserted.
    private struct Entry: Comparable {
        var due: UInt64
        var id: UInt64

        static func < (left: Entry, right: Entry) -> Bool { (left.due, left.id) < (right.due, right.id) }
    }

    private var heap = Heap<Entry>()
    private var payloads: [UInt64: Payload] = [:]
    private var lastID: UInt64 = 0

    /// The name of an entry that may be inserted later.
    mutating func reserve() -> UInt64 {
        lastID += 1
        return lastID
    }

    mutating func insert(_ id: UInt64, due: UInt64, _ payload: Payload) {
        heap.insert(Entry(due: due, id: id))
        payloads[id] = payload
    }

    /// - Returns: what the entry was to do; nil if it has fired or was removed, or never existed.
    mutating func remove(_ id: UInt64) -> Payload? {
        let payload = payloads.removeValue(forKey: id)
        if heap.count > 64, heap.count > 2 * payloads.count {
            heap = Heap(heap.unordered.filter { payloads[$0.id] != nil })
        }
        return payload
    }

    /// Takes out the first entry, if it is due.
    mutating func popFirst(until now: UInt64) -> (due: UInt64, payload: Payload)? {
        while let first = heap.min, first.due <= now {
            heap.removeMin()
            if let payload = payloads.removeValue(forKey: first.id) { return (first.due, payload) }
        }
        return nil
    }

    var count: Int { payloads.count }

    /// When ``popFirst(until:)`` has something to do next; a removed entry may make it early.
    var nextDue: UInt64? { heap.min?.due }
}
