#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// What is asked of the operating system, apart from threads.
enum OperatingSystem {
    /// Nanoseconds on the monotonic clock.
    static var now: UInt64 { time(of: CLOCK_MONOTONIC) }

    /// A few milliseconds behind, for a fifth of the cost of ``now``: enough to notice that time
    /// has passed.
    static var coarseNow: UInt64 {
        #if canImport(Darwin)
            return now
        #else
            return time(of: CLOCK_MONOTONIC_COARSE)
        #endif
    }

    private static func time(of clock: clockid_t) -> UInt64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    static var coreCount: Int { max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

    static func yieldThread() { sched_yield() }

    static func sleep(microseconds: UInt32) { usleep(microseconds) }
}
