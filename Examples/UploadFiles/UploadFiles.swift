import Foundation
import Sluice

/// Uploads the files of a folder that the server does not have yet.
///
///     swift run upload-files Sources
@main
struct UploadFiles {
    static func main() async throws {
        let folder = CommandLine.arguments.dropFirst().first ?? "."
        let server = FlakyServer()
        let report = try await upload(files(in: folder), to: server) { letter in
            print("not uploaded: \(letter.element), stage \(letter.stage), \(letter.attempts) attempts: \(letter.error)")
        }
        print(report)
        print("the server has \(await server.stored.count) files")
    }

    /// Hashes on all cores; uploads sixteen files at a time, each with three more attempts.
    static func upload(
        _ files: [URL], to server: FlakyServer, timeout: Duration = .milliseconds(100),
        lost: @escaping @Sendable (DeadLetter) -> Void
    ) async throws -> Report {
        try await Pipeline.reading(from: files)
            .map("hash", concurrency: .exactly(ProcessInfo.processInfo.activeProcessorCount)) { try Fingerprint(of: $0) }
            .filter("new", concurrency: 16) { await !server.has($0) }
            .map(
                "upload", concurrency: 16, timeout: timeout, retry: .times(3, backoff: .milliseconds(5))
            ) { try await server.upload($0) }
            .deadLetters { lost($0) }
            .run()
    }

    static func files(in folder: String) -> [URL] {
        let paths = FileManager.default.enumerator(atPath: folder)?.allObjects as? [String] ?? []
        return paths.sorted().map { URL(fileURLWithPath: folder).appendingPathComponent($0) }
            .filter { !$0.hasDirectoryPath }
    }
}

/// A file's name, and the FNV-1a hash of its bytes.
struct Fingerprint: Sendable, Hashable, CustomStringConvertible {
    let name: String
    let hash: UInt64

    init(of file: URL) throws {
        name = file.lastPathComponent
        hash = try Data(contentsOf: file).reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }

    var description: String { name }
}
