import Glibc
import Sluice
import Synchronization

/// Keeps pieces of encoded dead letters that a batch may not hold in memory until they are written.
///
/// They are in a file that has lost its name, so that the system takes its space back however the
/// process ends. A piece that was taken makes room for another one. Any number of threads may use
/// it.
final class LetterSpool: Sendable {
    static let name = "dead-letters.tmp"
    /// The most that a piece may have, in bytes.
    private static let roomOfPiece = 640 << 10

    /// A piece that is kept.
    struct Piece: Sendable {
        fileprivate let place: Int
        let count: Int
    }

    /// The most that each batch holds in memory, in bytes.
    let mostHeld: Int
    private let folder: String
    private let state = Locked(State())

    private struct State {
        var descriptor: Int32?
        /// The number of places in the file.
        var places = 0
        /// Those that are free again.
        var free: [Int] = []
    }

    /// - Parameters:
    ///   - folder: an existing folder. The file is created for the first piece.
    ///   - memory: the memory of the run, in bytes.
    init(in folder: String, memory: Int) {
        self.folder = folder
        mostHeld = max(1 << 20, memory / 16)
    }

    deinit {
        if let descriptor = state.withLock({ $0.descriptor }) { close(descriptor) }
    }

    func keep(_ bytes: UnsafeBufferPointer<UInt8>) throws(OutputError) -> Piece {
        precondition(bytes.count <= Self.roomOfPiece, "a piece of dead letters that is too large")
        let (descriptor, place) = try state.withLock { (state) throws(OutputError) -> (Int32, Int) in
            let descriptor = if let opened = state.descriptor { opened } else { try open() }
            state.descriptor = descriptor
            if let place = state.free.popLast() { return (descriptor, place) }
            state.places += 1
            return (descriptor, state.places - 1)
        }
        var done = 0
        while done < bytes.count {
            let count = pwrite(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done, off_t(place * Self.roomOfPiece + done))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure(count < 0 ? errno : EIO) }
            done += count
        }
        return Piece(place: place, count: bytes.count)
    }

    /// The bytes of a piece, which is not kept any longer.
    func take(_ piece: Piece) throws(OutputError) -> ByteBuffer {
        guard let descriptor = state.withLock({ $0.descriptor }) else { preconditionFailure("a piece of another run") }
        let buffer = ByteBuffer(capacity: piece.count)
        while buffer.count < piece.count {
            let count = pread(
                descriptor, buffer.start + buffer.count, piece.count - buffer.count, off_t(piece.place * Self.roomOfPiece + buffer.count))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure(count < 0 ? errno : EIO) }
            buffer.count += count
        }
        state.withLock { $0.free.append(piece.place) }
        return buffer
    }

    private func open() throws(OutputError) -> Int32 {
        let path = "\(folder)/\(Self.name)"
        let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure(errno) }
        unlink(path)
        return descriptor
    }

    private func failure(_ error: Int32) -> OutputError {
        .failed(folder, "dead letters that are too large for the memory cannot be kept there until they are written", error)
    }
}
