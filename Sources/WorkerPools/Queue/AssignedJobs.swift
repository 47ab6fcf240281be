// Unsafe code: places are initialised from the deal until their job is begun or taken back, by whoever has brought `left` down.
// `records` are looked at when the hand is closed: that of the job begun last is then kept alive by its worker, who cannot end it
// without the lock under which this happens, and those of the others by the jobs in their places.

import Synchronization

/// Jobs that a local queue has dealt to a worker, who begins one after the other without a lock: the atomic count of those left
/// says whose each of them is. Others bring that count to 0 to have them back, with the lock of the local queue.
///
/// Only for jobs that await nothing and have no time limit: the worker stays on its thread until the hand is used up or closed.
struct AssignedJobs: @unchecked Sendable, Equatable {  // see above
    static let capacity = 32

    /// Alone on its lines of the cache.
    private let shared: UnsafeMutablePointer<Atomic<Int>>
    private let jobs: UnsafeMutablePointer<Job>
    /// That of the job after which this hand was dealt, and those of its jobs.
    private let records: UnsafeMutablePointer<Unmanaged<JobRecord>?>

    init() {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: 128, alignment: 128)
        shared = memory.bindMemory(to: Atomic<Int>.self, capacity: 1)
        shared.initialize(to: Atomic(0))
        jobs = .allocate(capacity: Self.capacity)
        records = .allocate(capacity: Self.capacity + 1)
    }

    /// The hand must be empty.
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

    /// Takes over the first jobs of the buffer that a worker can begin without a lock.
    /// - Parameter current: the record of the job that it makes an attempt at now, and that ends without a lock, too.
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

    /// - Returns: how many have not been begun, which are now the caller's.
    func revoke() -> Int { shared.pointee.exchange(0, ordering: .acquiringAndReleasing) }

    func takeBack(from index: Int) -> Job {
        let job = (jobs + index).move()
        job.record?.phase = .queued
        return job
    }

    /// After the closing: the job that the worker had begun, after so many of the hand.
    func markRunning(after begun: Int, in slot: Int) {
        records[begun]?.takeUnretainedValue().phase = .running(slot: slot)
    }

    // Without.

    /// - Parameter left: how many the worker knows to be left, at least 1.
    /// - Returns: false if the hand has been closed.
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
