// Unsafe code: only `withLock` dereferences the pointer to the state, under the lock; `deinit`
// frees it, when no other reference can exist. A pointer rather than a stored property, because a
// class property pays for a dynamic exclusivity check on every access, which the lock makes
// redundant.

import Synchronization

/// A value that can only be reached with its lock held.
///
/// A lock of our own, since on Linux trying a `Synchronization.Mutex` that is held is a system
/// call, after which unlocking it is another. It is that of Drepper, "Futexes Are Tricky" (2011),
/// section 6, with these differences: it spins and yields before it waits, and only one thread at a
/// time is parked, while the others that have waited for long queue for its place. Waiters do not
/// lend their priority to the thread that has the lock. A thread that happens to be running may
/// take the lock ahead of them, any number of times.
///
/// A thread that takes a lock twice waits for ever.
///
/// No wake-up is lost. A thread parks only after it has marked that the lock may be awaited, while
/// another had it; whoever has it finds the mark on unlocking, and unparks, which the spot
/// remembers if it comes first. The thread that is unparked marks the lock again when it tries to
/// take it, so whoever was faster unparks it once more. If it succeeds, the mark stays: at worst it
/// unparks nobody, and the next thread to park looks again at once.
final class Guarded<State>: @unchecked Sendable {  // all access to `state` is under the lock
    private let state: UnsafeMutablePointer<State>
    private let hold = Atomic(Hold.free)
    private let spot = ParkingSpot()
    /// Held by the one thread that may park. With several threads at one spot, a
    /// `pthread_cond_signal` of glibc before 2.41 may wake none of them (its bug 25847).
    private let placeToPark = Mutex(())
    private let polls: Bool

    init(_ state: consuming State, lock choice: LockChoice = .parking) {
        self.state = .allocate(capacity: 1)
        self.state.initialize(to: state)
        polls = choice == .polling
    }

    deinit {
        state.deinitialize(count: 1)
        state.deallocate()
    }

    /// The caller's reference keeps this object, and with it the spot, until it returns: another
    /// thread may have released its own as soon as the lock is free.
    @inline(__always)
    func withLock<Result, Failure: Error>(_ body: (inout State) throws(Failure) -> Result) throws(Failure) -> Result {
        if !lockIfFree() { waitAndLock() }
        defer {
            if hold.exchange(Hold.free, ordering: .releasing) == Hold.mayBeAwaited { spot.unpark() }
        }
        return try body(&state.pointee)
    }

    /// Whether a thread may be parked until the lock is free.
    var mayBeAwaited: Bool { hold.load(ordering: .relaxed) == Hold.mayBeAwaited }

    @inline(__always)
    private func lockIfFree() -> Bool {
        hold.compareExchange(expected: Hold.free, desired: Hold.held, ordering: .acquiring).exchanged
    }

    /// Spins and yields for a while before it waits in the kernel, where a waiter must be scheduled
    /// before it can go on.
    @inline(never)
    private func waitAndLock() {
        for turn in 1...100 {
            for _ in 0..<20 where hold.load(ordering: .relaxed) == Hold.free && lockIfFree() { return }
            if turn > 4 { OperatingSystem.yieldThread() }
        }
        if polls {
            while !lockIfFree() { OperatingSystem.sleep(microseconds: 50) }
        } else {
            placeToPark.withLock { _ in
                while hold.exchange(Hold.mayBeAwaited, ordering: .acquiring) != Hold.free { spot.park(until: nil) }
            }
        }
    }
}

/// Who has a lock.
private enum Hold: UInt8, AtomicRepresentable {
    case free, held
    /// A thread has it, and another may be parked until it is free.
    case mayBeAwaited
}
