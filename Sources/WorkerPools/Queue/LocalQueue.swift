// Unsafe code: as in Injector.swift, a structure of pointers to memory that the pool's storage
// frees; `state` is only touched with the lock held.

import Synchronization

/// Jobs that one thread has prefetched from the queue, for the workers that run on it: with them a
/// worker ends one job and begins the next under a lock that other threads seldom take.
///
/// Filled only with the pool's lock held as well, by a worker whose job is older than those it
/// prefetches. When that worker next comes to the pool, what it has prefetched and not begun goes
/// back to the head of the queue. So a job waits here only for an older one, and jobs that wait for
/// older ones always finish.
///
/// A thread that holds the pool's lock may take jobs away again, so that none waits here for a busy
/// thread while another is free. A thread that holds the locks of the pool and of all its local
/// queues, and has revoked their assigned jobs, sees all workers stand still.
struct LocalQueue: @unchecked Sendable, Equatable {  // `state` is under the lock
    static let capacity = 128
    /// A thread prefetches as many jobs as it finishes in this time, in nanoseconds.
    private static let horizon: UInt64 = 128_000
    /// What it finishes in this time need not be shared: other threads would not be awake before.
    private static let wakeUpTime: UInt64 = 16_000

    private struct State {
        var jobs = JobBuffer(capacity: capacity)
        var done = 0
        /// When it was last filled, by the system's monotonic clock.
        var filledAt: UInt64 = 0
        /// What ``done`` was then.
        var doneBefore = 0
        /// How many jobs may be taken at a time; the first of them is not stored here.
        var pace = 1
        /// How many assigned jobs are not counted yet.
        var assignedCount = 0
        /// Whether a worker has assigned jobs, which may have been revoked in the meantime.
        var isAssigned = false
        /// That worker's slot.
        var assignedSlot = 0
        let assigned = AssignedJobs()
    }

    /// The shared count, with the state after it: one pointer, since each worker keeps several.
    private let shared: UnsafeMutablePointer<SharedCount>
    private var state: UnsafeMutablePointer<State> {
        (UnsafeMutableRawPointer(shared) + SharedCount.blockSize).assumingMemoryBound(to: State.self)
    }
    private var assigned: AssignedJobs { state.pointee.assigned }

    init(lock choice: LockChoice) {
        precondition(MemoryLayout<State>.size <= SharedCount.blockSize, "a local queue's state does not fit its memory block")
        shared = SharedCount.make(choice, extraBlocks: 1)
        (UnsafeMutableRawPointer(shared) + SharedCount.blockSize).bindMemory(to: State.self, capacity: 1).initialize(to: State())
    }

    func free() {
        assigned.free()
        state.pointee.jobs.free()
        state.deinitialize(count: 1)
        SharedCount.free(shared)
    }

    /// The caller holds the pool's lock. An upper bound: it is too high while jobs are being
    /// assigned, which puts them among the assigned ones before it takes them off the count. Exact
    /// between ``lock()`` and ``unlock()``.
    var waiting: Int { shared.pointee.count.load(ordering: .acquiring) + assigned.left }

    /// Jobs that workers have ended with success without the pool's lock. Read between ``lock()``
    /// and ``unlock()``, with assigned jobs revoked.
    var done: Int { state.pointee.done }

    /// Stops the workers of this thread. The caller holds the pool's lock, or takes no other.
    @inline(__always)
    func lock() { shared.pointee.lock.lock() }
    @inline(__always)
    func unlock() { shared.pointee.lock.unlock() }

    @inline(__always)
    private func noteCount() { shared.pointee.count.store(state.pointee.jobs.count, ordering: .releasing) }

    /// Ends the worker's job, gives it the next one and assigns it those after that, if there is
    /// one here and nothing has happened to the attempt.
    /// - Returns: nil if the pool has to be asked; otherwise when to set an alarm for, or 0.
    @inline(__always)
    func endAndBeginNext(of worker: Worker) -> UInt64? {
        lock()
        defer { unlock() }
        worker.finishAssigned(on: self)
        guard state.pointee.jobs.count > 0, worker.verdict == .inTime, worker.mayTake(from: self) else { return nil }
        worker.finish()
        state.pointee.done += 1
        let alarm = worker.begin(state.pointee.jobs.removeFirst())
        assign(to: worker)
        noteCount()
        return alarm
    }

    /// Ends the worker's job, which still counts as running.
    /// - Returns: false if something has happened to the attempt.
    func finish(_ worker: Worker) -> Bool {
        lock()
        defer { unlock() }
        guard worker.verdict == .inTime else { return false }
        worker.finish()
        return true
    }

    /// Takes over the queue's first jobs; nothing if there are some here.
    /// - Parameters:
    ///   - ended: how many jobs of this thread have ended under the pool's lock since the last
    ///     filling.
    ///   - share: the most that may be taken, so that other threads find some too; more for very
    ///     short jobs.
    ///   - queue: gives its next jobs, no more than it is asked for.
    /// - Returns: the pace; nil if there were some here.
    func fill(
        ended: Int, share: Int, longest: Int, now: UInt64, from queue: (_ most: Int, _ jobs: inout JobBuffer) -> Void
    ) -> Int? {
        lock()
        defer { unlock() }
        guard state.pointee.jobs.count == 0, assigned.left == 0 else { return nil }
        // Up to twice what this thread has finished since the last filling, or else as many as
        // before, but without what others took away.
        let through = state.pointee.done - state.pointee.doneBefore + ended
        let time = max(1, now &- state.pointee.filledAt)
        let affordable = Int(min(UInt64(longest), UInt64(through) * Self.horizon / time))
        let quick = Int(min(UInt64(longest), UInt64(through) * Self.wakeUpTime / time))
        state.pointee.pace = max(1, min(max(state.pointee.pace, 2 * through), affordable))
        state.pointee.doneBefore = state.pointee.done
        state.pointee.filledAt = now
        let most = min(state.pointee.pace - 1, max(share, quick))
        if most > 0 { queue(most, &state.pointee.jobs) }
        noteCount()
        return state.pointee.pace
    }

    /// When it was last filled, by the system's monotonic clock. The caller holds the pool's lock.
    /// Jobs here are older than those of a queue that was filled later, and all are older than
    /// those in the pool's queue.
    var filledAt: UInt64 { state.pointee.filledAt }

    /// Returns all jobs to the head of the queue. Between ``lock()`` and ``unlock()``; the caller
    /// holds the pool's lock.
    func returnAll(to queue: LevelQueue) {
        revokeAssigned()
        while state.pointee.jobs.count > 0 { queue.prepend(state.pointee.jobs.removeLast()) }
        noteCount()
    }
}

// Jobs that a worker begins without a lock.
extension LocalQueue {
    /// Assigns the worker what it can begin next without a lock.
    private func assign(to worker: Worker) {
        guard !state.pointee.isAssigned, worker.mayBeAssignedJobs else { return }
        let count = assigned.assign(from: &state.pointee.jobs, after: worker.job.record)
        guard count > 0 else { return }
        state.pointee.assignedCount = count
        state.pointee.isAssigned = true
        state.pointee.assignedSlot = worker.slot
        worker.receiveAssigned(of: count, from: self)
    }

    /// Begins the next assigned job, which ends the worker's current one.
    /// - Parameter left: how many of its jobs the worker has not begun; at least 1.
    /// - Returns: false if the assignment has been revoked.
    @inline(__always)
    func begin(left: Int) -> Bool { assigned.begin(left: left) }

    /// The job that has just been begun.
    @inline(__always)
    func take(from index: Int) -> Job { assigned.take(from: index) }

    /// Counts the jobs that have ended since the assignment, and puts back those that have not been
    /// begun. Between ``lock()`` and ``unlock()``, and with the pool's lock if there may be such.
    func revokeAssigned() {
        guard state.pointee.assignedCount > 0 else { return }
        let left = assigned.revoke()
        let begun = state.pointee.assignedCount - left
        for index in (begun..<state.pointee.assignedCount).reversed() { state.pointee.jobs.prepend(assigned.takeBack(from: index)) }
        // Each job that was begun has ended the one before it; the first ended the one begun with
        // the lock.
        state.pointee.done += begun
        state.pointee.assignedCount = 0
        noteCount()
        assigned.markRunning(after: begun, in: state.pointee.assignedSlot)
    }

    /// The worker is done with its assigned jobs, as in ``revokeAssigned()``.
    func finishAssigned() {
        revokeAssigned()
        state.pointee.isAssigned = false
    }
}
