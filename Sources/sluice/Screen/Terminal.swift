import FoundationEssentials
import Glibc
import Synchronization

/// Standard output or standard error.
struct Terminal: Sendable {
    let descriptor: Int32

    static let output = Terminal(descriptor: STDOUT_FILENO)
    static let error = Terminal(descriptor: STDERR_FILENO)

    var isTerminal: Bool { isatty(descriptor) == 1 }

    /// Whether it can move its cursor and the like: not in the shell of an editor, whose `TERM` is
    /// `dumb`.
    var takesCodes: Bool { isTerminal && ProcessInfo.processInfo.environment["TERM"] != "dumb" }

    /// Whether to use colors: on such a terminal, unless `NO_COLOR` is set (https://no-color.org).
    var isColored: Bool {
        takesCodes && ProcessInfo.processInfo.environment["NO_COLOR", default: ""].isEmpty
    }

    /// The number of columns; 80 if unknown.
    var width: Int {
        var size = winsize()
        return ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
    }

    /// The number of columns that lines have to fit; `nil` if this is not a terminal, as files and
    /// pipes take lines of any length.
    var lineWidth: Int? { isTerminal ? width : nil }

    /// The number of rows; 24 if unknown.
    var height: Int {
        var size = winsize()
        return ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_row > 0 ? Int(size.ws_row) : 24
    }

    private static let refusal = Mutex<String?>(nil)

    /// Why standard output did not take all that was written to it. A closed stream is not an
    /// error, because there is nowhere left to write.
    static var outputFailure: String? { refusal.withLock { $0 } }

    /// Writes all of the text. The command ends with an error if standard output does not take it
    /// (``outputFailure``).
    func write(_ text: String) { write(Array(text.utf8)) }

    func write(_ bytes: [UInt8]) {
        var bytes = bytes[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                let isClosed = errno == EPIPE || errno == EBADF
                if descriptor == STDOUT_FILENO, !isClosed { Self.refusal.withLock { [reason = String(cString: strerror(errno))] in $0 = reason } }
                return
            }
            bytes = bytes.dropFirst(count)
        }
    }
}
