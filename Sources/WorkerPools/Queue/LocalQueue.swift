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
/// whoever holds the locks of the pool and of all its local queues sees all workers stand still.
struct LocalQueue: @unchecked Sendable, Equatable {  // `state` is under the lock
    static let most = 128
    /// A thread takes as many jobs ahead as it gets through in this time, in nanoseconds.
    private static let horizon: UInt64 = 128_000

    private struct State {
        var jobs = JobBuffer(capacity: most)
        var done = 0
        /// When it was last filled, by the machine's clock.
        var filledAt: UInt64 = 0
        /// What ``done`` was then.
        var doneBefore = 0
        /// How many jobs, the first of which was not put here, may be taken at a time.
        var pace = 1
    }

    private let shared: UnsafeMutablePointer<SharedCount>
    private let state: UnsafeMutablePointer<State>

    init(lock choice: LockChoice) {
        shared = SharedCount.make(choice)
        let memory = UnsafeMutableRawPointer.allocate(byteCount: 128, alignment: 128)
        precondition(MemoryLayout<State>.size <= 128)
        state = memory.bindMemory(to: State.self, capacity: 1)
        state.initialize(to: State())
    }

    func free() {
        state.pointee.jobs.free()
        state.deinitialize(count: 1)
        UnsafeMutableRawPointer(state).deallocate()
        SharedCount.free(shared)
    }

    var waiting: Int { shared.pointee.count.load(ordering: .relaxed) }

    /// Jobs that workers have ended with success without the pool's lock. Between ``close()`` and ``open()``.
    var done: Int { state.pointee.done }

    /// Stops the workers of this thread, for somebody who holds the pool's lock.
    @inline(__always)
    func close() { shared.pointee.lock.lock() }
    @inline(__always)
    func open() { shared.pointee.lock.unlock() }

    @inline(__always)
    private func noteCount() { shared.pointee.count.store(state.pointee.jobs.count, ordering: .relaxed) }

    /// Ends the worker's job and gives it the next, if there is one here and nothing has become of the attempt.
    /// - Returns: nil if the pool has to be asked; else when an alarm is to be left, or 0.
    @inline(__always)
    func turn(of worker: Worker) -> UInt64? {
        close()
        guard state.pointee.jobs.count > 0, worker.verdict == .inTime, worker.mayTake(from: self) else {
            open()
            return nil
        }
        worker.finish()
        state.pointee.done += 1
        let alarm = worker.begin(state.pointee.jobs.removeFirst())
        noteCount()
        open()
        return alarm
    }

    /// Ends the worker's job, which still counts as running.
    /// - Returns: false if something has become of the attempt.
    func finish(_ worker: Worker) -> Bool {
        close()
        defer { open() }
        guard worker.verdict == .inTime else { return false }
        worker.finish()
        return true
    }

    /// Takes jobs over, the first ones of the queue; nothing if there are some here.
    /// - Parameters:
    ///   - ended: how many jobs of this thread have ended with the pool's lock since the last filling.
    ///   - share: how many may be taken at most, so that other threads find some too.
    ///   - next: gives the next job of the queue.
    /// - Returns: the pace; nil if there were some here.
    func fill(ended: Int, share: Int, longest: Int, now: UInt64, _ next: () -> Job?) -> Int? {
        close()
        defer { open() }
        guard state.pointee.jobs.count == 0 else { return nil }
        // What this thread has got through since the last filling, at most twice that; not what others took away.
        let through = state.pointee.done - state.pointee.doneBefore + ended
        let time = max(1, now &- state.pointee.filledAt)
        let affordable = Int(min(UInt64(longest), UInt64(through) * Self.horizon / time))
        state.pointee.pace = max(1, min(2 * min(state.pointee.pace, through), affordable))
        state.pointee.doneBefore = state.pointee.done
        state.pointee.filledAt = now
        var left = min(state.pointee.pace - 1, share)
        while left > 0, let job = next() {
            state.pointee.jobs.append(job)
            left -= 1
        }
        noteCount()
        return state.pointee.pace
    }

    /// When it was last filled, by the machine's clock; for somebody who holds the pool's lock. Jobs here are older than those of
    /// a queue that was filled later, and all are older than those in the pool's queue.
    var filledAt: UInt64 { state.pointee.filledAt }

    /// Gives all jobs back to the head of the queue; between ``close()`` and ``open()``.
    func giveBack(to queue: LevelQueue) {
        while state.pointee.jobs.count > 0 { queue.prepend(state.pointee.jobs.removeLast()) }
        noteCount()
    }
}
