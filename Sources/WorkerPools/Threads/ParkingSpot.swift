// Unsafe code: a pthread mutex and condition at stable addresses, freed in `deinit`. No thread uses
// them by then, because one that parks or unparks holds a reference until it has returned.

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Where one thread sleeps until another wakes it or a deadline passes. A wake-up that comes early
/// is kept.
package final class ParkingSpot: @unchecked Sendable {  // `signalled` is only touched under the mutex
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var signalled = false

    package init() {
        pthread_mutex_init(mutex, nil)
        #if canImport(Darwin)
            pthread_cond_init(condition, nil)
        #else
            var attributes = pthread_condattr_t()
            pthread_condattr_init(&attributes)
            pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
            pthread_cond_init(condition, &attributes)
            pthread_condattr_destroy(&attributes)
        #endif
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// - Parameter deadline: nanoseconds on the monotonic clock; nil waits for ``unpark()`` alone.
    package func park(until deadline: UInt64?) {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while !signalled {
            guard let deadline else {
                pthread_cond_wait(condition, mutex)
                continue
            }
            let now = OperatingSystem.now
            guard deadline > now else { break }
            #if canImport(Darwin)
                var left = timespec(nanoseconds: deadline - now)
                pthread_cond_timedwait_relative_np(condition, mutex, &left)
            #else
                var time = timespec(nanoseconds: deadline)
                pthread_cond_timedwait(condition, mutex, &time)
            #endif
        }
        signalled = false
    }

    package func unpark() {
        pthread_mutex_lock(mutex)
        let asleep = !signalled
        signalled = true
        pthread_mutex_unlock(mutex)
        if asleep { pthread_cond_signal(condition) }
    }
}

extension timespec {
    init(nanoseconds: UInt64) {
        self.init(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
    }
}
