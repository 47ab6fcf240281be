// Unsafe code: places are initialised from the deal until their job is begun or taken back, by whoever has brought `left` down; the
// records of jobs at hand are kept alive by these, and the last one begun by its worker, who cannot end it without the lock under
// which it is looked at.

import Synchronization

/// Jobs that a local queue has dealt to a worker, who begins one after the other without a lock: the atomic count of those left
/// says whose each of them is. Others bring that count to 0 to have them back, with the lock of the local queue.
///
/// Only for jobs that await nothing and have no time limit: the worker stays on its thread until the hand is used up or closed.
struct Hand: @unchecked Sendable, Equatable {  // see above
    static let most = 32

    /// Alone on its lines of the cache.
    private let shared: UnsafeMutablePointer<Atomic<Int>>
    private let places: UnsafeMutablePointer<Job>
    private let records: UnsafeMutablePointer<Unmanaged<JobRecord>?>

    init() {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: 128, alignment: 128)
        shared = memory.bindMemory(to: Atomic<Int>.self, capacity: 1)
        shared.initialize(to: Atomic(0))
        places = .allocate(capacity: Self.most)
        records = .allocate(capacity: Self.most)
    }

    /// The hand must be empty.
    func free() {
        precondition(left == 0, "a hand was freed with jobs in it")
        shared.deinitialize(count: 1)
        UnsafeMutableRawPointer(shared).deallocate()
        places.deallocate()
        records.deallocate()
    }

    /// How many have not been begun.
    var left: Int { shared.pointee.load(ordering: .acquiring) }

    // With the lock.

    /// Takes over the first jobs of the buffer that a worker can begin without a lock.
    /// - Returns: how many.
    func deal(from jobs: inout JobBuffer) -> Int {
        var count = 0
        _ = jobs.countFirst(Self.most) { job in
            guard job.pointee.isForHand else { return false }
            if let record = job.pointee.record {
                record.phase = .atHand
                records[count] = .passUnretained(record)
            } else {
                records[count] = nil
            }
            count += 1
            return true
        }
        jobs.moveFirst(count, to: places)
        shared.pointee.store(count, ordering: .releasing)
        return count
    }

    /// - Returns: how many have not been begun, which are now the caller's.
    func close() -> Int { shared.pointee.exchange(0, ordering: .acquiringAndReleasing) }

    func takeBack(from place: Int) -> Job {
        let job = (places + place).move()
        job.record?.phase = .queued
        return job
    }

    /// After the closing: the last job that was begun, unless it has its end and is only making that known.
    func markRunning(at place: Int, in slot: Int) {
        guard let record = records[place]?.takeUnretainedValue(), case .atHand = record.phase else { return }
        record.phase = .running(slot: slot)
    }

    // Without.

    /// - Parameter left: how many the worker knows to be left, at least 1.
    /// - Returns: false if the hand has been closed.
    @inline(__always)
    func begin(left: Int) -> Bool {
        shared.pointee.compareExchange(expected: left, desired: left - 1, ordering: .acquiringAndReleasing).exchanged
    }

    @inline(__always)
    func take(from place: Int) -> Job { (places + place).move() }
}

extension Job {
    /// Whether its worker can begin it without a lock.
    var isForHand: Bool {
        switch body {
        case .plain, .plainOfRecord: record.map { $0.details?.timeout == nil } ?? true
        case .asynchronous, .away: false
        }
    }
}
