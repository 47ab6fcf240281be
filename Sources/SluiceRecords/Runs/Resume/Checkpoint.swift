import FoundationEssentials
import Glibc
import Sluice
import SluiceCEL

/// Everything that a run needs to go on after its process has died: how far its inputs are
/// committed, what its outputs hold, and the state of its stages at that place.
///
/// Nothing in it depends on the number of workers, so that a run may go on with another number.
struct Checkpoint: Codable, Sendable {
    /// Raised when the layout or the meaning of a field changes.
    static let version = 1

    /// A place between two batches of an input.
    struct Cut: Codable, Sendable, Equatable {
        /// Index of the input; all inputs before it are committed.
        var input: Int
        /// Batches of that input that are committed.
        var batches: Int
    }

    /// The state of one ordered stage.
    struct StepState: Codable, Sendable {
        /// The stage's name, with its routes.
        var stage: String
        var state: Data
    }

    var version = Checkpoint.version
    /// The run, as ``Staging`` names its files.
    var run: String
    /// Digest of the definition with its parameters.
    var definition: String
    /// The libraries and levels that compress: others write other bytes.
    var libraries: RunReport.Libraries
    var inputs: [InputStamp]
    var cut: Cut
    /// Of the inputs before the cut.
    var summaries: [InputSummary]
    var ledger: LedgerState
    var steps: [StepState]
    var sinks: [SinkCheckpoint]
    var deadLetters: SinkCheckpoint
}

/// The state of the outputs of one sink.
struct SinkCheckpoint: Codable, Sendable {
    struct Columns: Codable, Sendable {
        var output: String
        var columns: [String]
    }

    var mark: SinkMark
    /// Outputs that have what they begin with.
    var begun: [String]
    /// `nil` where nothing is compressed.
    var gzip: GzipCheckpoint?
    /// Outputs whose columns their first records have told.
    var columns: [Columns] = []
}

/// What tells whether an input is still the same file.
struct InputStamp: Codable, Sendable, Equatable {
    var path: String
    var size: Int
    /// Nanoseconds since 1970.
    var modified: Int
    /// SHA-256 of its first and last 4 KiB.
    var ends: String

    private static let endBytes = 4 << 10

    /// - Returns: `nil` where the input is not a regular file that can be read.
    init?(_ file: InputFile) {
        guard !file.isStandardInput else { return nil }
        let descriptor = open(file.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        path = file.path
        size = Int(status.st_size)
        modified = Int(status.st_mtim.tv_sec) * 1_000_000_000 + Int(status.st_mtim.tv_nsec)
        let digest = Digest()
        for offset in Swift.Set([0, max(0, size - Self.endBytes)]).sorted() {
            guard let bytes = Self.read(descriptor, at: offset, count: min(Self.endBytes, size - offset)) else { return nil }
            bytes.withUnsafeBufferPointer { digest.update($0) }
        }
        ends = digest.hex
    }

    private static func read(_ descriptor: Int32, at offset: Int, count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let step = bytes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress! + filled, count - filled, off_t(offset + filled)) }
            if step < 0, errno == EINTR { continue }
            guard step > 0 else { return nil }
            filled += step
        }
        return bytes
    }

    /// What differs, for a message; `nil` where nothing does.
    func change(since earlier: InputStamp) -> String? {
        if !path.isSame(as: earlier.path) { return "the inputs are other files: '\(path)' now, '\(earlier.path)' then" }
        if size != earlier.size { return "'\(path)' has \(size) bytes now, \(earlier.size) then" }
        if modified != earlier.modified { return "'\(path)' was modified" }
        return ends == earlier.ends ? nil : "the bytes of '\(path)' have changed"
    }
}
