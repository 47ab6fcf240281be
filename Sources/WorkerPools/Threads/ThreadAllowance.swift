// Unsafe code: a pthread mutex at a stable address, which outlives the threads that wait for it.

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// How many threads the system lets this process start: RLIMIT_NPROC and the `pids` limit of a
/// control group refuse them without notice, and Swift's own pool then waits for ever.
package enum ThreadAllowance {
    /// Starts threads and ends them again, which takes about 20 µs for each.
    ///
    /// - Returns: the number of threads that can exist at once in addition to those that do, up to
    ///   `most`. Other processes may take them in the meantime.
    package static func threads(upTo most: Int) -> Int {
        let gate = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
        pthread_mutex_init(gate, nil)
        pthread_mutex_lock(gate)
        var threads: [pthread_t] = []
        while threads.count < most, let thread = waiting(at: gate) { threads.append(thread) }
        pthread_mutex_unlock(gate)
        for thread in threads { pthread_join(thread, nil) }
        pthread_mutex_destroy(gate)
        gate.deallocate()
        return threads.count
    }

    /// A thread that ends once it can lock the mutex; `nil` if it is refused.
    private static func waiting(at gate: UnsafeMutablePointer<pthread_mutex_t>) -> pthread_t? {
        #if canImport(Darwin)
            var thread: pthread_t?
        #else
            var thread = pthread_t()
        #endif
        let failure = pthread_create(
            &thread, nil,
            { argument in
                #if canImport(Darwin)
                    let gate: UnsafeMutablePointer<pthread_mutex_t>? = argument.assumingMemoryBound(to: pthread_mutex_t.self)
                #else
                    let gate = argument?.assumingMemoryBound(to: pthread_mutex_t.self)
                #endif
                if let gate {
                    pthread_mutex_lock(gate)
                    pthread_mutex_unlock(gate)
                }
                return nil
            }, gate)
        return failure == 0 ? thread : nil
    }
}
