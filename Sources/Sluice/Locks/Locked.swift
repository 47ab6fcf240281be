// Unsafe code in the sanitizer's build only: the value is at a pointer that `withLock` alone
// dereferences, with the lock held, and that is freed in `deinit`, when no other reference can
// exist.

#if SLUICE_TSAN
    #if canImport(Darwin)
        import Darwin
    #else
        import Glibc
    #endif

    /// Stands in for `Mutex` in a build with `--sanitize=thread -Xswiftc -DSLUICE_TSAN`: on Linux
    /// the sanitizer does not see inside `Mutex` and would take everything that it guards for a
    /// race. It understands pthread's mutex.
    package struct Locked<Value>: ~Copyable, @unchecked Sendable {  // all access to `value` is under the lock
        private let mutex: UnsafeMutablePointer<pthread_mutex_t>
        private let value: UnsafeMutablePointer<Value>

        package init(_ initial: consuming sending Value) {
            mutex = .allocate(capacity: 1)
            pthread_mutex_init(mutex, nil)
            value = .allocate(capacity: 1)
            value.initialize(to: initial)
        }

        deinit {
            value.deinitialize(count: 1)
            value.deallocate()
            pthread_mutex_destroy(mutex)
            mutex.deallocate()
        }

        package func withLock<Result, Failure: Error>(
            _ body: (inout Value) throws(Failure) -> Result
        ) throws(Failure) -> Result {
            pthread_mutex_lock(mutex)
            defer { pthread_mutex_unlock(mutex) }
            return try body(&value.pointee)
        }
    }
#else
    package import Synchronization

    package typealias Locked<Value> = Mutex<Value>
#endif
