// Unsafe code: elements `head ..< head + count` of the ring are initialised and no others; every
// method preserves this, and `free` leaves none. The owner calls `free` once, in its `deinit`.

/// A ring of jobs that are moved in and out, never copied: copying a job costs its closure two
/// reference counts.
@usableFromInline
struct JobBuffer {
    @usableFromInline var elements: UnsafeMutablePointer<Job>
    @usableFromInline var mask: Int
    @usableFromInline var head = 0
    @usableFromInline var count = 0
    /// The largest capacity that an empty buffer keeps.
    private static let maxKeptCapacity = 4096
    var capacity: Int { mask + 1 }

    /// - Parameter capacity: a power of two.
    init(capacity: Int) {
        elements = .allocate(capacity: capacity)
        mask = capacity - 1
    }

    @inlinable
    @inline(__always)
    mutating func append(_ job: consuming Job) {
        if count > mask { grow() }
        (elements + ((head + count) & mask)).initialize(to: job)
        count += 1
    }

    mutating func prepend(_ job: consuming Job) {
        if count > mask { grow() }
        head = (head - 1) & mask
        (elements + head).initialize(to: job)
        count += 1
    }

    /// Moves the first `number` jobs of another buffer, which must have that many, to the end of
    /// this one.
    mutating func append(first number: Int, of other: inout JobBuffer) {
        if count == 0, number == other.count, other.capacity <= Self.maxKeptCapacity { return swap(&self, &other) }
        while capacity < count + number { grow() }
        other.moveFirst(number) { from, run in
            let tail = (head + count) & mask
            let untilEnd = min(run, capacity - tail)
            (elements + tail).moveInitialize(from: from, count: untilEnd)
            elements.moveInitialize(from: from + untilEnd, count: run - untilEnd)
            count += run
        }
    }

    /// Moves the first `number` jobs, of which there must be that many, to consecutive memory.
    mutating func moveFirst(_ number: Int, to target: UnsafeMutablePointer<Job>) {
        var moved = 0
        moveFirst(number) { from, run in
            (target + moved).moveInitialize(from: from, count: run)
            moved += run
        }
    }

    /// Passes the first `number` jobs to `take` in one or two runs, each of which it must move out.
    @inline(__always)
    private mutating func moveFirst(_ number: Int, _ take: (UnsafeMutablePointer<Job>, Int) -> Void) {
        precondition(number <= count, "more jobs were taken from a buffer than it has")
        let untilEnd = min(number, capacity - head)
        take(elements + head, untilEnd)
        if untilEnd < number { take(elements, number - untilEnd) }
        head = (head + number) & mask
        count -= number
    }

    /// How many of the first `most` jobs satisfy the predicate, up to the first that does not.
    @inline(__always)
    func countPrefix(_ most: Int, where predicate: (UnsafeMutablePointer<Job>) -> Bool) -> Int {
        let most = min(most, count)
        var number = 0
        while number < most, predicate(elements + ((head + number) & mask)) { number += 1 }
        return number
    }

    /// The buffer must not be empty.
    @inline(__always)
    mutating func removeFirst() -> Job {
        precondition(count > 0, "a job was taken from an empty buffer")
        let job = (elements + head).move()
        head = (head + 1) & mask
        count -= 1
        return job
    }

    /// The buffer must not be empty.
    mutating func removeLast() -> Job {
        precondition(count > 0, "a job was taken from an empty buffer")
        count -= 1
        return (elements + ((head + count) & mask)).move()
    }

    /// Returns memory that a burst has needed, once the buffer is empty.
    mutating func shrink() {
        guard count == 0, capacity > Self.maxKeptCapacity else { return }
        elements.deallocate()
        elements = .allocate(capacity: Self.maxKeptCapacity)
        mask = Self.maxKeptCapacity - 1
        head = 0
    }

    mutating func free() {
        while count > 0 { _ = removeFirst() }
        elements.deallocate()
    }

    @usableFromInline
    @inline(never)
    mutating func grow() {
        let larger = UnsafeMutablePointer<Job>.allocate(capacity: 2 * (mask + 1))
        for index in 0..<count { (larger + index).moveInitialize(from: elements + ((head + index) & mask), count: 1) }
        elements.deallocate()
        elements = larger
        mask = 2 * mask + 1
        head = 0
    }
}
