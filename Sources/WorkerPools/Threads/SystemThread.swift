// Unsafe code: a closure crosses into a C thread entry as a retained reference, which is released
// once: by the new thread, or here if there is none.

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// How eagerly the system should run a thread.
public enum ThreadQuality: Sendable, Hashable {
    /// Like any other thread of the process.
    case standard

    /// Yields to others: `QOS_CLASS_UTILITY` on Apple's systems, a nice value of at least 5 on
    /// Linux.
    case utility

    /// Runs when little else does: `QOS_CLASS_BACKGROUND` on Apple's systems, a nice value of at
    /// least 15 on Linux.
    case background
}

/// A thread of our own. It must be joined or detached.
package struct SystemThread: @unchecked Sendable {  // a thread's id is a plain value except to pthread calls
    /// The system refuses the thread: RLIMIT_NPROC, the `pids` limit of a control group, or memory.
    package struct Refused: Error, CustomStringConvertible {
        package let code: Int32
        package var description: String { String(cString: strerror(code)) }
    }

    private final class Start: Sendable {
        let body: @Sendable () -> Void
        init(body: @escaping @Sendable () -> Void) { self.body = body }
    }

    private let id: pthread_t

    package init(_ body: @escaping @Sendable () -> Void) throws(Refused) {
        let start = Unmanaged.passRetained(Start(body: body))
        #if canImport(Darwin)
            var thread: pthread_t?
            let failure = pthread_create(&thread, nil, { Self.run($0) }, start.toOpaque())
        #else
            var thread = pthread_t()
            let failure = pthread_create(&thread, nil, { $0.flatMap { Self.run($0) } }, start.toOpaque())
        #endif
        guard failure == 0, let id = thread as pthread_t? else {
            start.release()
            throw Refused(code: failure)
        }
        self.id = id
    }

    /// A thread with a name that debuggers and `top -H` show.
    init(name: String, quality: ThreadQuality = .standard, _ body: @escaping @Sendable () -> Void) throws(Refused) {
        try self.init {
            Self.configure(name: name, quality: quality)
            body()
        }
    }

    private static func run(_ start: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
        Unmanaged<Start>.fromOpaque(start).takeRetainedValue().body()
        return nil
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
            // As root, threads of Swift's own pool, which may have created this one, have lost what
            // the process was started with.
            let which = Int32(PRIO_PROCESS.rawValue)
            let own = getpriority(which, id_t(getpid()))
            // A process started with `nice` is not made more eager.
            let nice =
                switch quality {
                case .standard: own
                case .utility: max(own, 5)
                case .background: max(own, 15)
                }
            // On Linux a process number of 0 means the calling thread alone.
            if getpriority(which, 0) < nice { setpriority(which, 0, nice) }
        #endif
    }

    /// Waits until the thread has ended; called by the thread itself, detaches it instead.
    package func join() {
        if pthread_equal(id, pthread_self()) != 0 {
            pthread_detach(id)
        } else {
            pthread_join(id, nil)
        }
    }

    /// Lets the thread end by itself.
    package func detach() { pthread_detach(id) }
}

/// A pointer that each thread has of its own, nil at first.
struct ThreadLocalPointer: Sendable {
    private let key: pthread_key_t

    init() {
        var key = pthread_key_t()
        let failure = pthread_key_create(&key, nil)
        precondition(failure == 0, "the system has no thread-specific keys left")
        self.key = key
    }

    var current: UnsafeMutableRawPointer? { pthread_getspecific(key) }

    func set(_ pointer: UnsafeRawPointer?) { pthread_setspecific(key, pointer) }
}
