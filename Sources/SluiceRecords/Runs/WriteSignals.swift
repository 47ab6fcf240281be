import Glibc

/// Signals that end a process which writes where it cannot: to a pipe without a reader, to a file
/// beyond the limit on its size.
enum WriteSignals {
    /// Reading this makes both an error of the write, for the whole process and once for all.
    /// Children get the usual signals back.
    static let areErrors: Void = {
        _ = signal(SIGPIPE, SIG_IGN)
        _ = signal(SIGXFSZ, SIG_IGN)
    }()
}
