import FoundationEssentials
import Glibc

// Holds outputs in memory until they are published: enough for the first runs, and to be replaced as a whole by files written beside their place.

public enum OutputError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Nobody reads standard output any more.
    case closed
    case failed(path: String, reason: String)

    public var description: String {
        switch self {
        case .closed: "standard output was closed by its reader"
        case .failed(let path, let reason): "\(path): \(reason)"
        }
    }
}

enum StandardOutput {
    static func write(_ bytes: UnsafeBufferPointer<UInt8>) throws(OutputError) {
        if let failure = writeAll(bytes, to: STDOUT_FILENO) {
            throw failure == EPIPE ? .closed : .failed(path: "standard output", reason: describe(error: failure))
        }
    }
}

enum PartitionPath {
    static func component(_ text: String) -> String { text.replacing("/", with: "%2F") }
}

enum Digest {
    static func ofFile(_ path: String) throws(InputError) -> String { "" }
}

struct PublishedOutput {
    var path: String
    var records: Int
    var bytes: UInt64
    var sha256: String
}

final class OutputSet {
    private var outputs: [String: (bytes: Data, records: Int)] = [:]

    func append(_ bytes: UnsafeBufferPointer<UInt8>, records: Int, to path: String) throws(OutputError) {
        outputs[path, default: (Data(), 0)].bytes.append(contentsOf: bytes)
        outputs[path]?.records += records
    }

    func publish() throws(OutputError) -> [PublishedOutput] {
        var published: [PublishedOutput] = []
        for (path, output) in outputs.sorted(by: { $0.key < $1.key }) {
            let place = URL(filePath: path)
            do {
                try FileManager.default.createDirectory(at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
                try output.bytes.write(to: place, options: .atomic)
            } catch {
                throw .failed(path: path, reason: "\(error)")
            }
            published.append(PublishedOutput(path: path, records: output.records, bytes: UInt64(output.bytes.count), sha256: ""))
        }
        return published
    }

    func discard() {}
}
