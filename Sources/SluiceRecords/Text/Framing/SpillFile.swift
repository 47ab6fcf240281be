import Glibc

/// Writes a record that the reader refuses to a gzip file of its own.
///
/// Of a record over the given limit, only the beginning counts (``SpilledRecord/kept``).
final class SpillFile {
    private static let blockText = 1 << 20
    /// The most that is kept of a record over the limit, in bytes.
    private static let beginning = 64 << 10

    let path: String
    private let descriptor: Int32
    private let writer = BlockWriter(level: .fast)
    private var assembly = MemberAssembly()
    private let text = ByteBuffer(capacity: blockText)
    private let packed = ByteBuffer(capacity: blockText)
    private var check = UTF8Check()
    private let most: UInt64
    /// The first bytes of the record.
    private let first = ByteBuffer(capacity: beginning)
    private(set) var byteCount: UInt64 = 0
    private var isKept = false

    /// The file's name for the record at an offset in the text of an input.
    static func name(input: Int, offset: UInt64) -> String { "spilled-\(input)-\(offset).gz" }

    static func isName(_ name: String) -> Bool { name.hasPrefix("spilled-") && name.hasSuffix(".gz") }

    /// - Parameters:
    ///   - isScratch: whether the folder is for this process alone, so that no other user may enter
    ///     it.
    ///   - name: unique in the folder for this run, and the same in every run; an existing file is
    ///     replaced, a link not followed.
    ///   - most: the size from which on only the beginning of a record is kept.
    init(folder: String, isScratch: Bool = false, name: String, most: UInt64 = .max) throws(InputError) {
        path = folder + "/" + name
        self.most = max(most, UInt64(Self.beginning))
        if mkdir(folder, isScratch ? 0o700 : 0o777) != 0, errno != EEXIST {
            let reason = describe(error: errno)
            throw .spill(path: folder, reason: isScratch ? "\(reason); set TMPDIR to a folder that can be written to" : reason)
        }
        unlink(path)
        descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw .spill(path: path, reason: describe(error: errno)) }
    }

    deinit {
        close(descriptor)
        if !isKept { unlink(path) }
    }

    func append(_ bytes: UnsafeBufferPointer<UInt8>) throws(InputError) {
        let room = byteCount < most ? Int(clamping: most - byteCount) : 0
        byteCount += UInt64(bytes.count)
        first.append(UnsafeBufferPointer(rebasing: bytes.prefix(Self.beginning - first.count)))
        let kept = UnsafeBufferPointer(rebasing: bytes.prefix(room))
        check.take(kept)
        var rest = kept[...]
        while !rest.isEmpty {
            let piece = rest.prefix(Self.blockText - text.count)
            text.append(UnsafeBufferPointer(rebasing: piece))
            rest = rest.dropFirst(piece.count)
            if text.count == Self.blockText { try flush() }
        }
    }

    /// Completes the file. Without this call, the file is deleted in `deinit`.
    func finish(_ reason: SpilledRecord.Reason = .tooLong, beforeFrame frame: Int, position: Position) throws(InputError) -> SpilledRecord {
        try flush()
        try write(assembly.ending)
        isKept = true
        var record = SpilledRecord(reason: reason, beforeFrame: frame, position: position, byteCount: byteCount, isUTF8: check.isValid, spill: path)
        if isCut { (record.kept, record.isUTF8) = keptBeginning }
        return record
    }

    private var isCut: Bool { byteCount > most }

    /// The number of bytes to keep of a record that is cut, up to the end of a character if they
    /// are UTF-8.
    private var keptBeginning: (count: Int, isUTF8: Bool) {
        let cut = (0...min(3, first.count)).first { UTF8Text.isValid(UnsafeBufferPointer(rebasing: first.filled.dropLast($0))) }
        return (first.count - (cut ?? 0), cut != nil)
    }

    private func flush() throws(InputError) {
        packed.count = 0
        let checksum = writer.append(text.filled, to: packed)
        text.count = 0
        try write(assembly.add(byteCount: packed.count, checksum))
        try write(packed.filled)
    }

    private func write(_ bytes: [UInt8]) throws(InputError) {
        try bytes.withUnsafeBufferPointer { (bytes) throws(InputError) in try write(bytes) }
    }

    private func write(_ bytes: UnsafeBufferPointer<UInt8>) throws(InputError) {
        if let failure = writeAll(bytes, to: descriptor) { throw .spill(path: path, reason: describe(error: failure)) }
    }
}

/// Writes all of the bytes. Returns the `errno` of a failure.
func writeAll(_ bytes: UnsafeBufferPointer<UInt8>, to descriptor: Int32) -> Int32? {
    var rest = UnsafeRawBufferPointer(bytes)[...]
    while !rest.isEmpty {
        let count = write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        if count < 0 {
            if errno == EINTR { continue }
            if errno == EAGAIN {
                var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&wait, 1, -1)
                continue
            }
            return errno
        }
        rest = rest.dropFirst(count)
    }
    return nil
}
