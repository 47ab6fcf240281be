// Unsafe code: an inbox is three pointers to memory that its pool's storage frees when nobody can use the pool any more.
// A structure rather than an object, because every use of an object by several threads counts references in one place that
// they all write. `state` is only touched with the lock held.

import Synchronization

/// Where submitters leave jobs without a look at the pool.
///
/// The pool says how many jobs may be left before somebody has to look: the budget. It ends where the queue is full, or
/// where a worker has to be called. So a submit under load takes one lock that workers seldom take.
struct Inbox: @unchecked Sendable {  // `state` is under the lock
    private struct State {
        var jobs = JobBuffer(capacity: 64)
        var spare = JobBuffer(capacity: 64)
        var budget = 0
    }

    private let shared: UnsafeMutablePointer<SharedCount>
    private let state: UnsafeMutablePointer<State>

    init(lock choice: LockChoice) {
        shared = SharedCount.make(choice)
        state = .allocate(capacity: 1)
        state.initialize(to: State())
    }

    func free() {
        state.pointee.jobs.free()
        state.pointee.spare.free()
        state.deinitialize(count: 1)
        state.deallocate()
        SharedCount.free(shared)
    }

    /// - Returns: the job, if somebody has to look at the pool for it.
    @inline(__always)
    func leave(_ job: consuming Job) -> Job? {
        close()
        guard state.pointee.budget > 0 else {
            open()
            return job
        }
        put(job)
        open()
        return nil
    }

    /// Leaves as many of the jobs as the budget allows, with one taking of the lock.
    func leave(_ batch: inout JobBuffer) {
        close()
        for _ in 0..<min(batch.count, state.pointee.budget) { put(batch.removeFirst()) }
        open()
    }

    @inline(__always)
    private func put(_ job: consuming Job) {
        state.pointee.budget -= 1
        job.record?.phase = .queued
        state.pointee.jobs.append(job)
        shared.pointee.count.store(state.pointee.jobs.count, ordering: .relaxed)
    }

    /// Whether jobs lie here; a guess.
    var isTouched: Bool { shared.pointee.count.load(ordering: .relaxed) > 0 }

    /// Keeps everybody out, for somebody who holds the pool's lock.
    @inline(__always)
    func close() { shared.pointee.lock.lock() }
    @inline(__always)
    func open() { shared.pointee.lock.unlock() }

    /// Moves the jobs over, by whoever holds the pool's lock. The budget stays as it is.
    /// - Returns: how many.
    func empty(into queue: inout LevelQueue) -> Int {
        guard shared.pointee.count.load(ordering: .relaxed) > 0 else { return 0 }
        close()
        takeOut()
        open()
        return moveSpare(into: &queue)
    }

    /// The same between ``close()`` and ``open()``.
    func emptyClosed(into queue: inout LevelQueue) -> Int {
        takeOut()
        return moveSpare(into: &queue)
    }

    private func takeOut() {
        swap(&state.pointee.jobs, &state.pointee.spare)
        shared.pointee.count.store(0, ordering: .relaxed)
    }

    /// `spare` belongs to whoever holds the pool's lock.
    private func moveSpare(into queue: inout LevelQueue) -> Int {
        let moved = state.pointee.spare.count
        while state.pointee.spare.count > 0 { queue.append(state.pointee.spare.removeFirst()) }
        return moved
    }

    /// Says how many jobs may be left from now on, those counted that have been left since the last look.
    /// - Returns: false if too many have been left already.
    func setBudget(_ total: Int) -> Bool {
        close()
        defer { open() }
        let left = state.pointee.jobs.count
        state.pointee.budget = max(0, total - left)
        return left <= total
    }

    /// No job may be left until the budget is set again.
    func revokeBudget() {
        close()
        state.pointee.budget = 0
        open()
    }
}

/// A lock, and a count that may also be read without it, and is then a guess. Alone on its lines of the cache.
struct SharedCount: ~Copyable {
    let lock: LockWord
    let count = Atomic(0)

    private init(_ choice: LockChoice) { lock = LockWord(choice) }

    static func make(_ choice: LockChoice) -> UnsafeMutablePointer<SharedCount> {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: 128, alignment: 128)
        precondition(MemoryLayout<SharedCount>.size <= 128)
        let pointer = memory.bindMemory(to: SharedCount.self, capacity: 1)
        pointer.initialize(to: SharedCount(choice))
        return pointer
    }

    static func free(_ pointer: UnsafeMutablePointer<SharedCount>) {
        pointer.deinitialize(count: 1)
        UnsafeMutableRawPointer(pointer).deallocate()
    }
}
