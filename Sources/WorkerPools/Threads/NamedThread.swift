#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// How eagerly the system should run a thread.
public enum ThreadQuality: Sendable, Hashable {
    /// Like any other thread of the process.
    case standard

    /// Yields to others: `QOS_CLASS_UTILITY` on Apple's systems, a nice value of 5 on Linux.
    case utility

    /// Runs when little else does: `QOS_CLASS_BACKGROUND` on Apple's systems, a nice value of 15 on
    /// Linux.
    case background
}

/// A thread of our own, with a name that debuggers and `top -H` show.
struct NamedThread: Sendable {
    private let thread: SystemThread

    init(name: String, quality: ThreadQuality = .standard, _ body: @escaping @Sendable () -> Void) throws(SystemThread.Refused) {
        thread = try SystemThread {
            Self.configure(name: name, quality: quality)
            body()
        }
    }

    /// Waits until the thread has ended; called by the thread itself, detaches it instead.
    func join() { thread.join() }

    private static func configure(name: String, quality: ThreadQuality) {
        #if canImport(Darwin)
            pthread_setname_np(name)
            switch quality {
            case .standard: break
            case .utility: pthread_set_qos_class_self_np(QOS_CLASS_UTILITY, 0)
            case .background: pthread_set_qos_class_self_np(QOS_CLASS_BACKGROUND, 0)
            }
        #else
            // Linux keeps 15 bytes of a name; the end of ours says which thread of the executor it
            // is. The C function is hidden from Swift by _GNU_SOURCE; writing this file does the
            // same.
            if let file = fopen("/proc/thread-self/comm", "w") {
                fputs(String(name.suffix(15)), file)
                fclose(file)
            }
            // On Linux a process number of 0 means the calling thread alone.
            switch quality {
            case .standard: break
            case .utility: setpriority(Int32(PRIO_PROCESS.rawValue), 0, 5)
            case .background: setpriority(Int32(PRIO_PROCESS.rawValue), 0, 15)
            }
        #endif
    }
}
