import Glibc

/// Signals that would kill a process for a failed write: to a pipe without a reader, or beyond the
/// limit on file size.
enum WriteSignals {
    /// Makes such a write fail with an error instead, for the whole process, the first time this is
    /// read. Child processes get the default signals back.
    static let areErrors: Void = {
        _ = signal(SIGPIPE, SIG_IGN)
        _ = signal(SIGXFSZ, SIG_IGN)
    }()
}
