// Unsafe code: only `withLock` dereferences the pointer to the state, under the lock; `deinit`
// frees it, when no other reference can exist. A pointer rather than a stored property, because a
// class property pays for a dynamic exclusivity check on every access, which the lock makes
// redundant.

import Synchronization

/// A value that can only be reached with its lock held.
///
/// Build with `-Xswiftc -DSLUICE_TSAN` along with `--sanitize=thread`: on Linux the sanitizer
/// cannot see inside `Synchronization.Mutex`, so in that build all locks spin.
final class Guarded<State>: @unchecked Sendable {  // all access to `state` is under the lock
    private let state: UnsafeMutablePointer<State>
    private let mutex = Mutex(())
    /// Held or not, because trying a held mutex is a system call. A spinning lock is this alone.
    private let isHeld = Atomic(false)
    private let spins: Bool

    init(_ state: consuming State, lock choice: LockChoice = .mutex) {
        self.state = .allocate(capacity: 1)
        self.state.initialize(to: state)
        #if SLUICE_TSAN
            spins = true
        #else
            spins = choice == .spinning
        #endif
    }

    deinit {
        state.deinitialize(count: 1)
        state.deallocate()
    }

    @inline(__always)
    func withLock<Result, Failure: Error>(_ body: (inout State) throws(Failure) -> Result) throws(Failure) -> Result {
        var outcome: Swift.Result<Result, Failure>?
        while true {
            let isDone = tryLocked {
                do throws(Failure) {
                    outcome = .success(try body(&state.pointee))
                } catch {
                    outcome = .failure(error)
                }
            }
            if isDone, let outcome { return try outcome.get() }
            waitForUnlock()
        }
    }

    /// - Returns: false if the lock is held.
    @inline(__always)
    private func tryLocked(_ run: () -> Void) -> Bool {
        if spins {
            guard !isHeld.exchange(true, ordering: .acquiring) else { return false }
            run()
            isHeld.store(false, ordering: .releasing)
            return true
        }
        guard !isHeld.load(ordering: .relaxed) else { return false }
        let isDone: Void? = mutex.withLockIfAvailable { _ in
            isHeld.store(true, ordering: .relaxed)
            run()
            isHeld.store(false, ordering: .relaxed)
        }
        return isDone != nil
    }

    /// Spins and yields for a while before it waits in the kernel. There a mutex is handed from
    /// waiter to waiter, each of which must be scheduled first, and under contention that queue
    /// never gets shorter.
    @inline(never)
    private func waitForUnlock() {
        for turn in 1...100 {
            for _ in 0..<20 where !isHeld.load(ordering: .relaxed) { return }
            if turn > 4 { OperatingSystem.yieldThread() }
        }
        if spins { OperatingSystem.sleep(microseconds: 50) } else { mutex.withLock { _ in () } }
    }
}
