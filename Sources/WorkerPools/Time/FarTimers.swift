/// A binary heap of the entries beyond the wheel's horizon (134 ms).
struct FarTimers {
    struct Entry {
        var due: UInt64
        var id: TimerID
    }

    private var heap: ContiguousArray<Entry> = []

    var first: Entry? { heap.first }
    var count: Int { heap.count }
    var entries: ContiguousArray<Entry> { heap }

    mutating func insert(_ entry: Entry) {
        heap.append(entry)
        var child = heap.count - 1
        while child > 0, heap[child].due < heap[(child - 1) / 2].due {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func removeFirst() {
        guard let last = heap.popLast(), !heap.isEmpty else { return }
        heap[0] = last
        var parent = 0
        while true {
            var smallest = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < heap.count && heap[child].due < heap[smallest].due { smallest = child }
            guard smallest != parent else { return }
            heap.swapAt(parent, smallest)
            parent = smallest
        }
    }
}
