// Unsafe code: as in Inbox.swift, a structure of pointers to memory that the pool's storage frees; `state` is only touched
// with the lock held.

import Synchronization

/// Jobs that one thread has taken from the queue, for the workers that run on it: with them a worker ends one job and
/// begins the next under a lock that other threads seldom take.
///
/// Filled only under the pool's lock too, by a worker whose job is older than those it takes ahead. When it next comes to the
/// pool, what it has taken ahead and not begun goes back to the head of the queue. So a job waits here only for an older one,
/// and jobs that wait for older ones always come to their end.
///
/// Whoever holds the pool's lock may take jobs away again, so that none waits here for a busy thread while another is free;
/// whoever holds the locks of the pool and of all its local queues, and has closed their hands, sees all workers stand still.
struct LocalQueue: @unchecked Sendable, Equatable {  // `state` is under the lock
    static let capacity = 128
    /// A thread takes as many jobs ahead as it gets through in this time, in nanoseconds.
    private static let horizon: UInt64 = 128_000
    /// What it gets through in this time need not be shared: others would not be awake before.
    private static let wakeUpTime: UInt64 = 16_000

    private struct State {
        var jobs = JobBuffer(capacity: capacity)
        var done = 0
        /// When it was last filled, by the machine's clock.
        var filledAt: UInt64 = 0
        /// What ``done`` was then.
        var doneBefore = 0
        /// How many jobs, the first of which was not put here, may be taken at a time.
        var pace = 1
        /// How many jobs of the hand are not counted yet.
        var assignedCount = 0
        /// A worker has the hand, which may have been closed meanwhile.
        var isAssigned = false
        /// That worker's slot.
        var assignedSlot = 0
        let assigned = AssignedJobs()
    }

    /// The shared count, and the state behind it: one pointer, since each worker keeps some.
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

    /// For somebody who holds the pool's lock. Never less than there are, but more while a deal is under way, which puts jobs into the
    /// hand before it takes them off the count; not between ``close()`` and ``open()``.
    var waiting: Int { shared.pointee.count.load(ordering: .acquiring) + assigned.left }

    /// Jobs that workers have ended with success without the pool's lock. Between ``close()`` and ``open()``, with the hand closed.
    var done: Int { state.pointee.done }

    /// Stops the workers of this thread, for somebody who holds the pool's lock.
    @inline(__always)
    func lock() { shared.pointee.lock.lock() }
    @inline(__always)
    func unlock() { shared.pointee.lock.unlock() }

    @inline(__always)
    private func noteCount() { shared.pointee.count.store(state.pointee.jobs.count, ordering: .releasing) }

    /// Ends the worker's job and gives it the next, if there is one here and nothing has become of the attempt, and the ones after
    /// that at hand.
    /// - Returns: nil if the pool has to be asked; else when an alarm is to be left, or 0.
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
    /// - Returns: false if something has become of the attempt.
    func finish(_ worker: Worker) -> Bool {
        lock()
        defer { unlock() }
        guard worker.verdict == .inTime else { return false }
        worker.finish()
        return true
    }

    /// Takes jobs over, the first ones of the queue; nothing if there are some here.
    /// - Parameters:
    ///   - ended: how many jobs of this thread have ended with the pool's lock since the last filling.
    ///   - share: how many may be taken at most, so that other threads find some too; more of those that take but a moment.
    ///   - queue: gives its next jobs, no more than it is asked for.
    /// - Returns: the pace; nil if there were some here.
    func fill(
        ended: Int, share: Int, longest: Int, now: UInt64, from queue: (_ most: Int, _ jobs: inout JobBuffer) -> Void
    ) -> Int? {
        lock()
        defer { unlock() }
        guard state.pointee.jobs.count == 0, assigned.left == 0 else { return nil }
        // Up to twice what this thread has got through since the last filling, or else as many as before; not what others took away.
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

    /// When it was last filled, by the machine's clock; for somebody who holds the pool's lock. Jobs here are older than those of
    /// a queue that was filled later, and all are older than those in the pool's queue.
    var filledAt: UInt64 { state.pointee.filledAt }

    /// Gives all jobs back to the head of the queue; between ``close()`` and ``open()``, for somebody who holds the pool's lock.
    func returnAll(to queue: LevelQueue) {
        revokeAssigned()
        while state.pointee.jobs.count > 0 { queue.prepend(state.pointee.jobs.removeLast()) }
        noteCount()
    }
}

// The jobs that a worker begins without a lock.
extension LocalQueue {
    /// Gives the worker what it can begin next without a lock.
    private func assign(to worker: Worker) {
        guard !state.pointee.isAssigned, worker.mayBeAssignedJobs else { return }
        let count = assigned.assign(from: &state.pointee.jobs, after: worker.job.record)
        guard count > 0 else { return }
        state.pointee.assignedCount = count
        state.pointee.isAssigned = true
        state.pointee.assignedSlot = worker.slot
        worker.receiveAssigned(of: count, from: self)
    }

    /// Begins the next job of the hand, which ends the worker's job before it.
    /// - Parameter left: how many of the hand the worker has not begun; at least 1.
    /// - Returns: false if others have closed the hand.
    @inline(__always)
    func begin(left: Int) -> Bool { assigned.begin(left: left) }

    /// The job that has just been begun.
    @inline(__always)
    func take(from index: Int) -> Job { assigned.take(from: index) }

    /// Counts the jobs that have ended since the deal, and puts those that have not been begun back; between ``close()`` and
    /// ``open()``, and with the pool's lock if there may be such.
    func revokeAssigned() {
        guard state.pointee.assignedCount > 0 else { return }
        let left = assigned.revoke()
        let begun = state.pointee.assignedCount - left
        for index in (begun..<state.pointee.assignedCount).reversed() { state.pointee.jobs.prepend(assigned.takeBack(from: index)) }
        // Each that was begun has ended the one before, the first the one that was begun with the lock.
        state.pointee.done += begun
        state.pointee.assignedCount = 0
        noteCount()
        assigned.markRunning(after: begun, in: state.pointee.assignedSlot)
    }

    /// The worker that has the hand is through with it, as in ``closeHand()``.
    func finishAssigned() {
        revokeAssigned()
        state.pointee.isAssigned = false
    }
}
