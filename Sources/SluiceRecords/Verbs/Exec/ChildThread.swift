// Unsafe code: pthread_create takes a C function and a pointer. Safe because the pointer is one
// retained object, released once: by the new thread, or here if there is none.

import Glibc
import SystemPackage

/// Runs `body` on a new thread.
func startThread(_ body: @escaping @Sendable () -> Void) throws(Errno) {
    final class Start {
        let body: @Sendable () -> Void
        init(body: @escaping @Sendable () -> Void) { self.body = body }
    }
    let start = Unmanaged.passRetained(Start(body: body))
    var thread = pthread_t()
    let code = pthread_create(
        &thread, nil,
        { start in
            if let start { Unmanaged<Start>.fromOpaque(start).takeRetainedValue().body() }
            return nil
        }, start.toOpaque())
    guard code == 0 else {
        start.release()
        throw Errno(rawValue: code)
    }
    pthread_detach(thread)
}
