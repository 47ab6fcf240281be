// Unsafe code: C calls that fill their own structures, and two symbols looked up by name:
// `malloc_trim` of glibc, and the counter in the C source next to this file. They are declared here
// with their actual types.

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The resources that the process uses.
enum Process {
    /// Processor time so far, in seconds.
    static var cpuSeconds: Double {
        var usage = rusage()
        #if canImport(Darwin)
            getrusage(RUSAGE_SELF, &usage)
        #else
            getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        #endif
        return [usage.ru_utime, usage.ru_stime].reduce(0) { $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1e6 }
    }

    /// A line of `/proc/self/status`, such as `VmRSS` or `VmHWM`, in KiB; 0 if there is no such
    /// file.
    static func kibibytes(_ line: String) -> Double {
        guard let file = fopen("/proc/self/status", "r") else { return 0 }
        defer { fclose(file) }
        var bytes = [CChar](repeating: 0, count: 256)
        while fgets(&bytes, 256, file) != nil {
            let text = String(decoding: bytes.prefix { $0 != 0 }.map(UInt8.init), as: UTF8.self)
            guard text.hasPrefix(line + ":") else { continue }
            return Double(text.split(separator: " ").dropLast().last.flatMap { Int($0) } ?? 0)
        }
        return 0
    }

    /// Free memory is first returned to the system, if possible, so that what remains is in use.
    static var residentKiB: Double {
        if let trim { _ = trim(0) }
        return kibibytes("VmRSS")
    }

    private static let trim = symbol("malloc_trim").map { unsafeBitCast($0, to: (@convention(c) (Int) -> Int32).self) }

    /// Calls to the allocator so far; nil unless `count_malloc.so` is preloaded.
    static var allocations: Int? { counter.map { Int($0()) } }

    private static let counter = symbol("count_malloc_calls").map { unsafeBitCast($0, to: (@convention(c) () -> UInt).self) }

    private static func symbol(_ name: String) -> UnsafeMutableRawPointer? { dlsym(dlopen(nil, RTLD_NOW), name) }
}

func exitWithFailure() -> Never { exit(1) }
