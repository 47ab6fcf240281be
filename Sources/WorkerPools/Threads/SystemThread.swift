// Unsafe code: a closure crosses into a C thread entry as a retained reference, which is released
// once: by the new thread, or here if there is none.

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

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
        #else
            var thread: pthread_t? = pthread_t()
        #endif
        let failure = Self.create(&thread, start.toOpaque())
        guard failure == 0, let thread else {
            start.release()
            throw Refused(code: failure)
        }
        id = thread
    }

    #if canImport(Darwin)
        private static func create(_ thread: inout pthread_t?, _ start: UnsafeMutableRawPointer) -> Int32 {
            pthread_create(&thread, nil, { Self.run($0) }, start)
        }
    #else
        private static func create(_ thread: inout pthread_t?, _ start: UnsafeMutableRawPointer) -> Int32 {
            var started = pthread_t()
            defer { thread = started }
            return pthread_create(&started, nil, { $0.flatMap { SystemThread.run($0) } }, start)
        }
    #endif

    private static func run(_ start: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
        Unmanaged<Start>.fromOpaque(start).takeRetainedValue().body()
        return nil
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
