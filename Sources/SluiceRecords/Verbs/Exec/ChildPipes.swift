// Unsafe code: calls of pipe, poll, read, write and fcntl. Safe because every buffer passed is an
// array's own storage for the duration of the call, and because only the loop's thread uses and
// closes our ends.

import Glibc
import SystemPackage

/// The three pipes of a child. Our ends are non-blocking and close-on-exec, so that no other child
/// inherits them.
struct ChildPipes {
    struct Ends {
        var input: FileDescriptor
        var output: FileDescriptor
        var error: FileDescriptor
    }

    /// The child's ends. swift-subprocess closes them once the child has them.
    let theirs: Ends
    private(set) var input: FileDescriptor?
    private(set) var output: FileDescriptor?
    private(set) var error: FileDescriptor?

    init() throws(Errno) {
        var opened: [FileDescriptor] = []
        do {
            for ours in [1, 0, 0] {
                let ends = try Self.pipe()
                opened += ends
                try Self.setNonBlocking(ends[ours])
            }
        } catch {
            opened.forEach { Self.close($0) }
            throw error
        }
        theirs = Ends(input: opened[0], output: opened[3], error: opened[5])
        (input, output, error) = (opened[1], opened[2], opened[4])
    }

    mutating func closeInput() { Self.close(&input) }
    mutating func closeOutput() { Self.close(&output) }
    mutating func closeError() { Self.close(&error) }

    mutating func closeAll() {
        closeInput()
        closeOutput()
        closeError()
    }

    /// - Returns: the read end and the write end.
    static func pipe() throws(Errno) -> [FileDescriptor] {
        var ends: [CInt] = [-1, -1]
        guard Glibc.pipe(&ends) == 0 else { throw Errno(rawValue: errno) }
        // Glibc's module does not export pipe2. A process started in between by other means than
        // swift-subprocess, which closes everything above 2, would inherit the pair.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return ends.map { FileDescriptor(rawValue: $0) }
    }

    static func setNonBlocking(_ descriptor: FileDescriptor) throws(Errno) {
        let flags = fcntl(descriptor.rawValue, F_GETFL)
        guard flags >= 0, fcntl(descriptor.rawValue, F_SETFL, flags | O_NONBLOCK) >= 0 else { throw Errno(rawValue: errno) }
    }

    static func close(_ descriptor: FileDescriptor) {
        // The descriptor is closed whatever the result, and it has no buffered data that could be
        // lost.
        _ = Glibc.close(descriptor.rawValue)
    }

    private static func close(_ descriptor: inout FileDescriptor?) {
        if let open = descriptor { close(open) }
        descriptor = nil
    }
}

extension FileDescriptor {
    enum Transfer: Equatable {
        case bytes(Int)
        case wouldBlock
        /// The end of the input, or the other end of the output is closed.
        case ended
    }

    /// Reads once, into `buffer[start...]`.
    func readAvailable(into buffer: inout [UInt8], from start: Int = 0) -> Transfer {
        while true {
            let count = buffer.withUnsafeMutableBytes { bytes in
                let free = UnsafeMutableRawBufferPointer(rebasing: bytes[start...])
                return Glibc.read(rawValue, free.baseAddress, free.count)
            }
            if count > 0 { return .bytes(count) }
            if count == 0 { return .ended }
            if errno == EINTR { continue }
            return errno == EAGAIN ? .wouldBlock : .ended
        }
    }

    func writeAvailable(_ bytes: ArraySlice<UInt8>) -> Transfer {
        while true {
            let count = bytes.withUnsafeBytes { Glibc.write(rawValue, $0.baseAddress, $0.count) }
            if count >= 0 { return .bytes(count) }
            if errno == EINTR { continue }
            return errno == EAGAIN ? .wouldBlock : .ended
        }
    }
}

/// A set of descriptors to wait for.
struct PollSet<Tag> {
    private var entries: [pollfd] = []
    private var tags: [Tag] = []

    mutating func removeAll() {
        entries.removeAll(keepingCapacity: true)
        tags.removeAll(keepingCapacity: true)
    }

    mutating func add(_ descriptor: CInt, writing: Bool = false, tag: Tag) {
        entries.append(pollfd(fd: descriptor, events: Int16(writing ? POLLOUT : POLLIN), revents: 0))
        tags.append(tag)
    }

    /// Waits until a descriptor is ready or `patience` has passed; `nil` waits forever.
    mutating func wait(_ patience: Duration?) -> [Tag] {
        let milliseconds = patience.map { $0.milliseconds } ?? -1
        guard poll(&entries, nfds_t(entries.count), milliseconds) > 0 else { return [] }
        return zip(entries, tags).filter { $0.0.revents != 0 }.map(\.1)
    }
}

extension Duration {
    /// Rounded up, so that a wait is never too short.
    fileprivate var milliseconds: CInt {
        guard self > .zero else { return 0 }
        let whole = components.seconds * 1000 + (components.attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
        return CInt(clamping: whole)
    }
}

/// Writes to standard error, and ignores failure, which cannot be reported anywhere.
func standardError(_ text: String) {
    var text = text
    text.withUTF8 { _ = Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
}
