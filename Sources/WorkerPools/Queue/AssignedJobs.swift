// Unsafe code: elements of `jobs` are initialised from the assignment until their job is begun or
// taken back, by whichever side brings `left` down. `records` is read when the assignment is
// revoked. The record of the job begun last is then kept alive by its worker, which cannot end it
// without the lock under which this happens; those of the others, by the jobs still in `jobs`.

import Synchronization

/// Jobs that a local queue has assigned to one worker, which begins them one by one without a lock:
/// each job belongs to the side that decrements the atomic count of those left. Others revoke the
/// assignment by setting that count to 0, with the local queue's lock held.
///
/// Only for jobs that await nothing and have no time limit: the worker stays on its thread until
/// the jobs are used up or revoked.
struct AssignedJobs: @unchecked Sendable, Equatable {  // see above
    static let capacity = 32

    /// Alone on its cache lines.
    private let shared: UnsafeMutablePointer<Atomic<Int>>
    private let jobs: UnsafeMutablePointer<Job>
    /// The record of the job after which these were assigned, followed by theirs.
    private let records: UnsafeMutablePointer<Unmanaged<JobRecord>?>

    init() {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: 128, alignment: 128)
        shared = memory.bindMemory(to: Atomic<Int>.self, capacity: 1)
        shared.initialize(to: Atomic(0))
        jobs = .allocate(capacity: Self.capacity)
        records = .allocate(capacity: Self.capacity + 1)
    }

    /// There must be no jobs left.
    func free() {
        precondition(left == 0, "assigned jobs were freed before they were begun")
        shared.deinitialize(count: 1)
        UnsafeMutableRawPointer(shared).deallocate()
        jobs.deallocate()
        records.deallocate()
    }

    /// How many have not been begun.
    var left: Int { shared.pointee.load(ordering: .acquiring) }

    // With the lock.

    /// Takes over the buffer's first jobs that a worker can begin without a lock.
    /// - Parameter current: the record of the job that the worker is running now, which also ends
    ///   without a lock.
    /// - Returns: how many.
    func assign(from buffer: inout JobBuffer, after current: JobRecord?) -> Int {
        var count = 0
        _ = buffer.countPrefix(Self.capacity) { job in
            guard job.pointee.isAssignable else { return false }
            count += 1
            note(job.pointee.record, at: count)
            return true
        }
        guard count > 0 else { return 0 }
        note(current, at: 0)
        buffer.moveFirst(count, to: jobs)
        shared.pointee.store(count, ordering: .releasing)
        return count
    }

    @inline(__always)
    private func note(_ record: JobRecord?, at index: Int) {
        record?.phase = .assigned
        records[index] = record.map { .passUnretained($0) }
    }

    /// - Returns: how many have not been begun; these now belong to the caller.
    func revoke() -> Int { shared.pointee.exchange(0, ordering: .acquiringAndReleasing) }

    func takeBack(from index: Int) -> Job {
        let job = (jobs + index).move()
        job.record?.phase = .queued
        return job
    }

    /// Once revoked: the job that the worker had begun, after that many of the assigned ones.
    func markRunning(after begun: Int, in slot: Int) {
        records[begun]?.takeUnretainedValue().phase = .running(slot: slot)
    }

    // Without the lock.

    /// - Parameter left: how many jobs are left as far as the worker knows, at least 1.
    /// - Returns: false if the assignment has been revoked.
    @inline(__always)
    func begin(left: Int) -> Bool {
        shared.pointee.compareExchange(expected: left, desired: left - 1, ordering: .acquiringAndReleasing).exchanged
    }

    @inline(__always)
    func take(from index: Int) -> Job { (jobs + index).move() }
}

extension Job {
    /// Whether its worker can begin it without a lock.
    var isAssignable: Bool {
        switch body {
        case .plain, .plainOfRecord: record.map { $0.details?.timeout == nil } ?? true
        case .asynchronous, .asynchronousOfRecord, .movedOut: false
        }
    }
}
