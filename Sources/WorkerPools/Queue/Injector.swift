// Unsafe code: an injector is pointers to memory that its pool's storage frees when nothing can use
// the pool any more. A structure rather than an object, because all threads that use an object
// write its one reference count. `state` is only touched with the lock held.

import Synchronization

/// Where submitters push jobs without asking the pool.
///
/// The pool sets a budget: how many jobs may be pushed before a submitter has to ask it. The budget
/// ends where the queue is full, or where a worker has to be woken. So under load a submit takes
/// one lock, which workers seldom take.
struct Injector: @unchecked Sendable {  // `state` is under the lock
    private struct State {
        /// By level, as in ``LevelQueue``.
        let levels: UnsafeMutableBufferPointer<JobBuffer>
        var count = 0
        /// Bit n is set if a job of level n was pushed since the injector was last emptied.
        var occupied: UInt64 = 0
        var budget = 0
    }

    private let shared: UnsafeMutablePointer<SharedCount>
    private let state: UnsafeMutablePointer<State>

    init(levels: Int, lock choice: LockChoice) {
        shared = SharedCount.make(choice)
        state = .allocate(capacity: 1)
        let buffers = UnsafeMutableBufferPointer<JobBuffer>.allocate(capacity: levels)
        for level in 0..<levels { buffers.initializeElement(at: level, to: JobBuffer(capacity: 16)) }
        state.initialize(to: State(levels: buffers))
    }

    func free() {
        for level in state.pointee.levels.indices { state.pointee.levels[level].free() }
        state.pointee.levels.deallocate()
        state.deinitialize(count: 1)
        state.deallocate()
        SharedCount.free(shared)
    }

    /// - Returns: the job, if the submitter has to ask the pool.
    @inline(__always)
    func push(_ job: consuming Job) -> Job? {
        lock()
        guard state.pointee.budget > 0 else {
            unlock()
            return job
        }
        put(job)
        unlock()
        return nil
    }

    /// Pushes as many of the jobs as the budget allows while locking once. They are all of one
    /// level and have no records.
    func push(_ batch: inout JobBuffer, level: UInt8) {
        lock()
        defer { unlock() }
        let number = min(batch.count, state.pointee.budget)
        guard number > 0 else { return }
        state.pointee.levels[Int(level)].append(first: number, of: &batch)
        note(number, level: level)
    }

    @inline(__always)
    private func put(_ job: consuming Job) {
        let level = job.level
        job.record?.phase = .queued
        state.pointee.levels[Int(level)].append(job)
        note(1, level: level)
    }

    @inline(__always)
    private func note(_ number: Int, level: UInt8) {
        state.pointee.budget -= number
        state.pointee.count += number
        state.pointee.occupied |= 1 << UInt64(level)
        shared.pointee.count.store(state.pointee.count, ordering: .relaxed)
    }

    /// Whether there are jobs here, or in the queue that this feeds; a guess.
    var mayHaveJobs: Bool {
        shared.pointee.count.load(ordering: .relaxed) > 0 || shared.pointee.isSpinnerSignalled.load(ordering: .relaxed)
    }

    /// How many jobs are worth a trip to the queue; during a burst a worker waits up to 2 µs for
    /// them.
    static let worthFetching = 24

    var isWorthFetching: Bool {
        shared.pointee.count.load(ordering: .relaxed) >= Self.worthFetching || shared.pointee.isSpinnerSignalled.load(ordering: .relaxed)
    }

    /// Tells the spinning worker that the queue holds jobs that did not come through here, or that
    /// none will come.
    func signalSpinner() { shared.pointee.isSpinnerSignalled.store(true, ordering: .relaxed) }
    func clearSignal() { shared.pointee.isSpinnerSignalled.store(false, ordering: .relaxed) }

    /// Keeps submitters out. The caller holds the pool's lock, or takes no other.
    @inline(__always)
    func lock() { shared.pointee.lock.lock() }
    @inline(__always)
    func unlock() { shared.pointee.lock.unlock() }

    /// Moves the jobs over. The caller holds the pool's lock. Does nothing if the queue has enough
    /// jobs of one level and these are of the same; with several levels, the queue has to see them
    /// all. The budget stays as it is.
    /// - Returns: how many.
    func empty(into queue: LevelQueue) -> Int {
        guard shared.pointee.count.load(ordering: .relaxed) > 0 else { return 0 }
        lock()
        defer { unlock() }
        if queue.count >= LocalQueue.capacity, queue.hasOneLevel, queue.occupied == state.pointee.occupied { return 0 }
        return emptyLocked(into: queue)
    }

    /// Moves all jobs over, between ``lock()`` and ``unlock()``; none may be pushed until the
    /// budget is set again.
    func emptyAndShutLocked(into queue: LevelQueue) -> Int {
        state.pointee.budget = 0
        return emptyLocked(into: queue)
    }

    private func emptyLocked(into queue: LevelQueue) -> Int {
        let moved = state.pointee.count
        guard moved > 0 else { return 0 }
        for level in state.pointee.levels.indices where state.pointee.levels[level].count > 0 {
            queue.append(&state.pointee.levels[level], level: level)
        }
        state.pointee.count = 0
        state.pointee.occupied = 0
        shared.pointee.count.store(0, ordering: .relaxed)
        return moved
    }

    /// Sets how many jobs may be pushed from now on, counting those pushed since the injector was
    /// last emptied.
    /// - Returns: false if too many have been pushed already.
    func setBudget(_ total: Int) -> Bool {
        lock()
        defer { unlock() }
        let left = state.pointee.count
        state.pointee.budget = max(0, total - left)
        return left <= total
    }

    /// Moves all jobs over; none may be pushed until the budget is set again.
    func emptyAndShut(into queue: LevelQueue) -> Int {
        lock()
        defer { unlock() }
        return emptyAndShutLocked(into: queue)
    }
}

/// A lock, and what may also be read without it, as a guess. Alone on its cache lines.
struct SharedCount: ~Copyable {
    let lock: LockWord
    let count = Atomic(0)
    let isSpinnerSignalled = Atomic(false)

    private init(_ choice: LockChoice) { lock = LockWord(choice) }

    /// Two cache lines, which are fetched together.
    static let blockSize = 128

    /// - Parameter blocks: how many blocks of this size follow, for what is not read without the
    ///   lock.
    static func make(_ choice: LockChoice, extraBlocks blocks: Int = 0) -> UnsafeMutablePointer<SharedCount> {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: (1 + blocks) * blockSize, alignment: blockSize)
        precondition(MemoryLayout<SharedCount>.size <= blockSize)
        let pointer = memory.bindMemory(to: SharedCount.self, capacity: 1)
        pointer.initialize(to: SharedCount(choice))
        return pointer
    }

    static func free(_ pointer: UnsafeMutablePointer<SharedCount>) {
        pointer.deinitialize(count: 1)
        UnsafeMutableRawPointer(pointer).deallocate()
    }
}
