// Unsafe code: a closure crosses into a C thread entry as a retained reference, which only that
// thread releases.

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
    private final class Start: Sendable {
        let name: String
        let quality: ThreadQuality
        let body: @Sendable () -> Void

        init(name: String, quality: ThreadQuality, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.quality = quality
            self.body = body
        }
    }

    private let id: PlatformThread

    init(name: String, quality: ThreadQuality = .standard, _ body: @escaping @Sendable () -> Void) {
        let start = Unmanaged.passRetained(Start(name: name, quality: quality, body: body)).toOpaque()
        #if canImport(Darwin)
            var thread: pthread_t?
        #else
            var thread = pthread_t()
        #endif
        let failure = pthread_create(
            &thread, nil,
            { argument in
                #if canImport(Darwin)
                    let opaque: UnsafeMutableRawPointer? = argument
                #else
                    let opaque = argument
                #endif
                guard let opaque else { return nil }
                let start = Unmanaged<Start>.fromOpaque(opaque).takeRetainedValue()
                NamedThread.configure(name: start.name, quality: start.quality)
                start.body()
                return nil
            }, start)
        demand(failure == 0, "the system could not start thread '\(name)': error \(failure)")
        id = PlatformThread(thread)
    }

    /// Waits until the thread has ended; called by the thread itself, detaches it instead.
    func join() {
        guard let thread = id.value else { return }
        if pthread_equal(thread, pthread_self()) != 0 {
            pthread_detach(thread)
        } else {
            pthread_join(thread, nil)
        }
    }

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

private struct PlatformThread: @unchecked Sendable {  // a thread's id is a plain value except to pthread calls
    let value: pthread_t?

    init(_ value: pthread_t?) { self.value = value }
}
