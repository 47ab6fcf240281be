// Unsafe code: elements `head ..< head + count` of the ring are initialised and no others; every
// method preserves this. The owner calls `free` once, in its `deinit`.

/// A ring of jobs that are moved in and out, never copied: a copy of a job costs its closure two
/// reference counts, and a `Deque` makes some.
@usableFromInline
struct JobBuffer {
    /// An empty buffer that is larger gives its memory back.
    private static let keptCapacity = 4096

    private var elements = UnsafeMutablePointer<Job>.allocate(capacity: 16)
    private(set) var capacity = 16
    private var head = 0
    @usableFromInline private(set) var count = 0

    @usableFromInline
    init() {}

    @inline(__always)
    private func place(_ index: Int) -> UnsafeMutablePointer<Job> { elements + ((head + index) & (capacity - 1)) }

    @usableFromInline
    @inline(__always)
    mutating func append(_ job: consuming Job) {
        if count == capacity { resize(to: 2 * capacity) }
        place(count).initialize(to: job)
        count += 1
    }

    mutating func prepend(_ job: consuming Job) {
        if count == capacity { resize(to: 2 * capacity) }
        head = (head - 1) & (capacity - 1)
        elements.advanced(by: head).initialize(to: job)
        count += 1
    }

    /// The buffer must not be empty.
    @inline(__always)
    mutating func removeFirst() -> Job {
        precondition(count > 0, "a job was taken from an empty buffer")
        let job = place(0).move()
        head = (head + 1) & (capacity - 1)
        count -= 1
        return job
    }

    /// The buffer must not be empty.
    mutating func removeLast() -> Job {
        precondition(count > 0, "a job was taken from an empty buffer")
        count -= 1
        return place(count).move()
    }

    /// Moves the first jobs of another buffer, which must have that many, to the end of this one.
    mutating func append(first number: Int, of other: inout JobBuffer) {
        if count == 0, number == other.count, other.capacity <= Self.keptCapacity { return swap(&self, &other) }
        for _ in 0..<number { append(other.removeFirst()) }
    }

    /// Returns memory that a burst has needed, once the buffer is empty.
    mutating func shrink() {
        if count == 0, capacity > Self.keptCapacity { resize(to: Self.keptCapacity) }
    }

    @usableFromInline
    mutating func free() {
        while count > 0 { _ = removeFirst() }
        elements.deallocate()
    }

    @inline(never)
    private mutating func resize(to capacity: Int) {
        let resized = UnsafeMutablePointer<Job>.allocate(capacity: capacity)
        for index in 0..<count { (resized + index).moveInitialize(from: place(index), count: 1) }
        elements.deallocate()
        (elements, self.capacity, head) = (resized, capacity, 0)
    }
}
