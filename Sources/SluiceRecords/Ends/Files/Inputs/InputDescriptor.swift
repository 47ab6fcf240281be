import Glibc

/// An open file descriptor that its owner closes once; standard input is never closed.
///
/// `@unchecked Sendable`: it has one owner at a time, the reader that holds it.
final class InputDescriptor: InputBytes, @unchecked Sendable {
    private var number: Int32
    private let isOwned: Bool
    /// The size in bytes, if it is a regular file.
    let size: UInt64?

    /// - Parameter offset: where reading begins, in bytes.
    init(_ file: InputFile, at offset: UInt64 = 0) throws(InputError) {
        if file.isStandardInput {
            (number, isOwned) = (STDIN_FILENO, false)
        } else {
            number = open(file.path, O_RDONLY | O_CLOEXEC | O_NOCTTY)
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
            throw isFolder ? .folder(path: file.path) : .unreadable(path: file.path, reason: describe(error: reason))
        }
        size = status.st_mode & S_IFMT == S_IFREG ? UInt64(status.st_size) : nil
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

    /// See ``InputWindow/Reading``.
    func read(into bytes: UnsafeMutableRawBufferPointer) -> Int {
        while true {
            let count = Glibc.read(number, bytes.baseAddress, bytes.count)
            if count >= 0 { return count }
            if errno != EINTR { return Int(-errno) }
        }
    }
}

/// The system's message for an `errno`.
func describe(error: Int32) -> String {
    var text = [CChar](repeating: 0, count: 256)
    guard strerror_r(error, &text, text.count) == 0 else { return "error \(error)" }
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
