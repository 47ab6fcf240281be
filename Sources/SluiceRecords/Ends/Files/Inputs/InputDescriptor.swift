import Glibc
import Synchronization

/// An open file descriptor that its owner closes once; standard input is never closed.
///
/// `@unchecked Sendable`: it has one owner at a time, the reader that holds it. Only
/// ``interrupt()`` and, until it is closed, ``read(at:into:)`` are for everyone.
final class InputDescriptor: InputBytes, @unchecked Sendable {
    private var number: Int32
    private let isOwned: Bool
    private let isInterrupted = Atomic<Bool>(false)
    /// `nil` for a regular file, which does not make a reader wait.
    private let wake: WakePipe?
    /// The size in bytes, if it is a regular file.
    let size: UInt64?
    /// The modification time of a regular file, in nanoseconds since 1970.
    let modified: Int?

    /// - Parameter offset: where reading begins, in bytes.
    init(_ file: InputFile, at offset: UInt64 = 0) throws(InputError) {
        if file.isStandardInput {
            (number, isOwned) = (STDIN_FILENO, false)
        } else {
            // Otherwise, opening a named pipe waits for a writer.
            let isPipe = PathKind.isNamedPipe(file.path)
            number = open(file.path, O_RDONLY | O_CLOEXEC | O_NOCTTY | (isPipe ? O_NONBLOCK : 0))
            guard number >= 0 else {
                let reason = errno
                throw reason == ENOENT ? .missing(path: file.path) : .unreadable(path: file.path, reason: describe(error: reason))
            }
            isOwned = true
        }
        var status = stat()
        guard fstat(number, &status) == 0, status.st_mode & S_IFMT != S_IFDIR else {
            let isFolder = status.st_mode & S_IFMT == S_IFDIR
            let reason = errno
            if isOwned { Glibc.close(number) }
            number = -1
            (wake, modified) = (nil, nil)
            throw isFolder ? .folder(path: file.path) : .unreadable(path: file.path, reason: describe(error: reason))
        }
        size = status.st_mode & S_IFMT == S_IFREG ? UInt64(status.st_size) : nil
        modified = size.map { _ in Int(status.st_mtim.tv_sec) * 1_000_000_000 + Int(status.st_mtim.tv_nsec) }
        wake = size == nil ? WakePipe() : nil
        if offset > 0, lseek(number, off_t(offset), SEEK_SET) < 0 {
            let reason = errno
            close()
            throw .unreadable(path: file.path, reason: describe(error: reason))
        }
        if size != nil { posix_fadvise(number, 0, 0, POSIX_FADV_SEQUENTIAL) }
    }

    deinit {
        close()
    }

    func close() {
        if isOwned, number >= 0 { Glibc.close(number) }
        number = -1
    }

    /// See ``InputWindow/Reading``. Fails with `ECANCELED` once the descriptor is interrupted, and
    /// with `ESTALE` where a file ends that another program has shortened since it was opened.
    func read(into bytes: UnsafeMutableRawBufferPointer) -> Int {
        while true {
            if isInterrupted.load(ordering: .relaxed) { return Int(-ECANCELED) }
            if let wake, !wake.waits(for: number) { continue }
            let count = Glibc.read(number, bytes.baseAddress, bytes.count)
            if count == 0, wasShortened { return Int(-ESTALE) }
            if count >= 0 { return count }
            if errno != EINTR, errno != EAGAIN { return Int(-errno) }
        }
    }

    /// Whether the file had bytes after those that were read, and has lost them since it was
    /// opened.
    private var wasShortened: Bool {
        guard let size, lseek(number, 0, SEEK_CUR) < off_t(size) else { return false }
        var status = stat()
        return fstat(number, &status) == 0 && status.st_size < off_t(size)
    }

    func read(at offset: UInt64, into memory: UnsafeMutableRawBufferPointer) -> Bool {
        guard size != nil else { return false }
        var filled = 0
        while filled < memory.count {
            if isInterrupted.load(ordering: .relaxed) { return false }
            let count = pread(number, memory.baseAddress.map { $0 + filled }, memory.count - filled, off_t(offset) + off_t(filled))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            filled += count
        }
        return true
    }

    func interrupt() {
        isInterrupted.store(true, ordering: .relaxed)
        wake?.wake()
    }
}

/// Ends the wait for a descriptor's next bytes from another thread.
final class WakePipe: Sendable {
    private let reading: Int32
    private let writing: Int32

    /// - Returns: `nil` if the system has no more descriptors; reading cannot be interrupted then.
    init?() {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return nil }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        (reading, writing) = (ends[0], ends[1])
    }

    deinit {
        close(reading)
        close(writing)
    }

    func wake() {
        var byte: UInt8 = 0
        _ = write(writing, &byte, 1)
    }

    /// Waits until the descriptor has bytes or is at its end.
    ///
    /// - Returns: false if it was woken up first.
    func waits(for descriptor: Int32) -> Bool {
        var polled = [pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0), pollfd(fd: reading, events: Int16(POLLIN), revents: 0)]
        while poll(&polled, 2, -1) < 0, errno == EINTR {}
        return polled[1].revents == 0
    }
}

extension PathKind {
    fileprivate static func isNamedPipe(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFIFO
    }
}

/// The system's message for an `errno`.
func describe(error: Int32) -> String {
    var text = [CChar](repeating: 0, count: 256)
    guard strerror_r(error, &text, text.count) == 0 else { return "error \(error)" }
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
