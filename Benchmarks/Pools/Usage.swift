#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The resources that the process has used so far.
struct Usage {
    var cpuSeconds: Double
    var peakKiB: Int

    static var now: Usage {
        var usage = rusage()
        #if canImport(Darwin)
            getrusage(RUSAGE_SELF, &usage)
            let kibibytes = usage.ru_maxrss / 1024
        #else
            getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
            let kibibytes = usage.ru_maxrss
        #endif
        let times = [usage.ru_utime, usage.ru_stime]
        let seconds = times.reduce(0.0) { $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1e6 }
        return Usage(cpuSeconds: seconds, peakKiB: Int(kibibytes))
    }
}
