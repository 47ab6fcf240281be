import FoundationEssentials
import Glibc
import Sluice

/// A file of the state folder that is replaced atomically: written to a temporary file, synced to
/// disk and renamed, so that after a crash either the old or the new one exists. A line of JSON,
/// and the ``StoredBytes`` of the value.
struct StateFile: Sendable {
    let path: String

    init(_ name: String, in folder: String) {
        path = "\(folder)/\(name)"
    }

    func write(_ value: some Encodable) throws(OutputError) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let stored = StoredBytes.Writing()
        if let key = StoredBytes.writing { encoder.userInfo[key] = stored }
        let bytes: Data
        do {
            bytes = try encoder.encode(value)
        } catch {
            throw .failed(path: path, reason: "cannot be encoded: \(error)")
        }
        let beside = path + ".new"
        let descriptor = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw .failed(path, "cannot be created", errno) }
        var failure = bytes.withUnsafeBytes { writeAll($0.bindMemory(to: UInt8.self), to: descriptor) }
        failure = failure ?? [UInt8(ascii: "\n")].withUnsafeBufferPointer { writeAll($0, to: descriptor) }
        for bytes in stored.all where failure == nil { failure = bytes.write(to: descriptor) }
        if failure == nil, fsync(descriptor) != 0 { failure = errno }
        close(descriptor)
        if failure == nil, rename(beside, path) != 0 { failure = errno }
        if let failure {
            unlink(beside)
            throw .failed(path, "cannot be written", failure)
        }
        Self.sync(folder: OutputFolders.folder(of: path))
    }

    /// - Returns: `nil` if the file does not exist.
    /// - Throws: ``OutputError`` if it cannot be opened or read; otherwise it is not such a value.
    func read<Value: Decodable>(_ type: Value.Type) throws -> Value? {
        guard let bytes = try contents() else { return nil }
        let end = bytes.firstIndex(of: UInt8(ascii: "\n")) ?? bytes.endIndex
        let decoder = JSONDecoder()
        if let key = StoredBytes.reading { decoder.userInfo[key] = StoredBytes.Reading(bytes: bytes[end...].dropFirst()) }
        return try decoder.decode(type, from: bytes[..<end])
    }

    /// - Returns: `nil` if the file does not exist at the moment: another process may make it.
    private func contents() throws(OutputError) -> Data? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            guard errno == ENOENT else { throw .failed(path, "cannot be read", errno) }
            return nil
        }
        defer { close(descriptor) }
        var bytes = Data()
        let piece = ByteBuffer(capacity: 64 << 10)
        while true {
            let count = Glibc.read(descriptor, piece.start, piece.capacity)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .failed(path, "cannot be read", errno) }
            guard count > 0 else { return bytes }
            bytes.append(piece.start, count: count)
        }
    }

    func remove() {
        unlink(path)
        unlink(path + ".new")
    }

    /// Makes a rename durable beyond a crash of the machine. Ignores errors, since some file
    /// systems do not support it, and need not.
    static func sync(folder: String) {
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }
}
