import SluiceCEL

/// Identifies an input, to detect changes.
struct InputStamp: Codable, Sendable, Equatable {
    var path: String
    var size: Int
    /// The modification time, in nanoseconds since 1970; 0 of an object behind an address.
    var modified = 0
    /// The SHA-256 of the first and the last 4 KiB; empty of an object.
    var ends = ""
    /// See ``InputFile/version``.
    var version: String?

    private static let endBytes = 4 << 10

    /// - Returns: `nil` if the input is not a readable regular file, or an object that was listed.
    init?(_ file: InputFile) {
        if Address.isAddress(file.path) {
            guard let size = file.size, let version = file.version else { return nil }
            (path, self.size, self.version) = (file.path, Int(size), version)
            return
        }
        // Opening a named pipe would wait for a writer, or take its bytes.
        guard !file.isStandardInput, case .file(size: _?) = PathKind.of(file.path) else { return nil }
        guard let bytes = try? InputDescriptor(file) else { return nil }
        defer { bytes.close() }
        guard let size = bytes.size, let modified = bytes.modified, let ends = Self.ends(of: bytes) else { return nil }
        (path, self.size, self.modified, self.ends) = (file.path, Int(size), modified, ends)
    }

    init(_ input: PlannedInput) {
        (path, size, modified, ends, version) = (input.name, input.size, input.modified, input.ends.text, input.version)
    }

    /// See ``ends``; `nil` if the input is not a regular file, or can't be read there.
    static func ends(of bytes: any InputBytes) -> String? {
        guard let size = bytes.size.map(Int.init) else { return nil }
        let digest = Digest()
        // The two overlap in a small file, and are one in a very small one.
        for offset in size > endBytes ? [0, size - endBytes] : [0] {
            let count = min(endBytes, size)
            let isRead = withUnsafeTemporaryAllocation(byteCount: count, alignment: 1) { memory in
                guard bytes.read(at: UInt64(offset), into: memory) else { return false }
                memory.withMemoryRebound(to: UInt8.self) { digest.update(UnsafeBufferPointer($0)) }
                return true
            }
            if !isRead { return nil }
        }
        return digest.hex
    }

    /// A description of the difference, for messages; `nil` if there is none.
    func change(since earlier: InputStamp) -> String? {
        if !path.isSame(as: earlier.path) { return "the inputs differ: '\(path)' instead of '\(earlier.path)'" }
        if size != earlier.size { return "'\(path)' has \(size) bytes instead of \(earlier.size)" }
        if modified != earlier.modified || version != earlier.version { return "'\(path)' was modified" }
        return ends == earlier.ends ? nil : "the bytes of '\(path)' have changed"
    }
}
