// Unsafe code: only `withLock` dereferences the pointer to the state, between locking and
// unlocking; `deinit` frees it, when no other reference can exist. A pointer rather than a stored
// property, because a class property pays for a dynamic exclusivity check on every access, which
// the lock makes redundant.

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif
import Synchronization

/// A value that can only be reached with its lock held.
///
/// Build with `-Xswiftc -DSLUICE_TSAN` along with `--sanitize=thread`: on Linux the sanitizer
/// cannot see inside `Synchronization.Mutex`, so that build uses a pthread mutex, which it
/// understands.
final class Guarded<State>: @unchecked Sendable {  // all access to `state` is under the lock
    private let state: UnsafeMutablePointer<State>
    private let lock: LockWord

    init(_ state: consuming State, lock choice: LockChoice = .mutex) {
        self.state = .allocate(capacity: 1)
        self.state.initialize(to: state)
        lock = LockWord(choice)
    }

    deinit {
        state.deinitialize(count: 1)
        state.deallocate()
    }

    @inline(__always)
    func withLock<Result, Failure: Error>(_ body: (inout State) throws(Failure) -> Result) throws(Failure) -> Result {
        lock.lock()
        defer { lock.unlock() }
        return try body(&state.pointee)
    }
}

#if SLUICE_TSAN
    struct LockWord: ~Copyable, @unchecked Sendable {  // a pthread mutex may be used from any thread
        private let mutex: UnsafeMutablePointer<pthread_mutex_t>

        init(_: LockChoice) {
            mutex = .allocate(capacity: 1)
            pthread_mutex_init(mutex, nil)
        }

        deinit {
            pthread_mutex_destroy(mutex)
            mutex.deallocate()
        }

        func lock() { pthread_mutex_lock(mutex) }
        func unlock() { pthread_mutex_unlock(mutex) }
    }
#else
    /// A mutex with a flag that says whether it is held, because trying a held mutex is a system
    /// call. A spinning lock is the flag alone.
    struct LockWord: ~Copyable, Sendable {
        private let mutex = Mutex(())
        private let isHeld = Atomic(false)
        private let spins: Bool

        init(_ choice: LockChoice) { spins = choice == .spinning }

        @inline(__always)
        func lock() {
            if !tryLock() { wait() }
        }

        @inline(__always)
        private func tryLock() -> Bool {
            if spins { return !isHeld.exchange(true, ordering: .acquiring) }
            guard !isHeld.load(ordering: .relaxed), mutex._unsafeTryLock() else { return false }
            isHeld.store(true, ordering: .relaxed)
            return true
        }

        /// Spins and yields for a while before it waits in the kernel. There a mutex is handed from
        /// waiter to waiter, each of which must be scheduled first, and under contention that queue
        /// never gets shorter.
        @inline(never)
        private func wait() {
            for turn in 1...100 {
                for _ in 0..<20 where !isHeld.load(ordering: .relaxed) {
                    if tryLock() { return }
                }
                if turn > 4 { sched_yield() }
            }
            if spins {
                while !tryLock() { usleep(50) }
            } else {
                mutex._unsafeLock()
                isHeld.store(true, ordering: .relaxed)
            }
        }

        @inline(__always)
        func unlock() {
            isHeld.store(false, ordering: .releasing)
            if !spins { mutex._unsafeUnlock() }
        }
    }
#endif
