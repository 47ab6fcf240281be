import Foundation
import Testing

extension CommandUnderTest {
    /// Runs the command without blocking the thread, because other tests have children with
    /// deadlines.
    func sluice(_ arguments: String...) async throws -> Result {
        try await Places.shared.with { try await start(nil, arguments).ended() }
    }

    /// Runs a shell script with `sluice` in its PATH.
    func script(_ text: String) async throws -> Result {
        try await Places.shared.with { try await start(URL(filePath: "/bin/sh"), ["-c", text]).ended() }
    }

    func write(_ bytes: [UInt8], to name: String) throws {
        try Data(bytes).write(to: folder.appending(path: name))
    }

    func isThere(_ name: String) -> Bool { FileManager.default.fileExists(atPath: folder.appending(path: name).path) }

    /// The lines of a file, split only at line feeds, with invalid UTF-8 replaced; empty if there
    /// is no such file.
    func lines(of name: String) -> [String] {
        Array(FileManager.default.contents(atPath: folder.appending(path: name).path) ?? Data()).lines
    }

    func objects(of name: String) throws -> [JSONObject] { try lines(of: name).map(JSONObject.init) }

    /// The run report in the pipeline's state folder.
    func report(of pipeline: String) throws -> JSONObject {
        try JSONObject(lines(of: ".sluice/\(pipeline)/report.json").joined(separator: "\n"))
    }

    /// The paths of all files below the folder, sorted.
    var files: [String] {
        get throws {
            try FileManager.default.subpathsOfDirectory(atPath: folder.path).filter { name in
                var isFolder: ObjCBool = false
                return FileManager.default.fileExists(atPath: folder.appending(path: name).path, isDirectory: &isFolder) && !isFolder.boolValue
            }.sorted()
        }
    }
}

/// How many processes run at once: all cases of all tests begin at once, each process takes some
/// descriptors, and Foundation's `Process` is not safe with more than a thousand.
private actor Places {
    static let shared = Places(64)

    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(_ count: Int) { free = count }

    func with<Result: Sendable>(_ body: () async throws -> Result) async rethrows -> Result {
        if free == 0 {
            await withCheckedContinuation { waiting.append($0) }
        } else {
            free -= 1
        }
        defer {
            if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
        }
        return try await body()
    }
}

extension CommandUnderTest.Result {
    var lines: [String] { Array(output.utf8).lines }
}

extension [UInt8] {
    /// Splits bytes, because CR LF is a single `Character`.
    fileprivate var lines: [String] {
        split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
    }
}

extension RunningCommand {
    func ended() async throws -> CommandUnderTest.Result {
        await withCheckedContinuation { ended in
            DispatchQueue.global().async { [process] in
                process.waitUntilExit()
                ended.resume()
            }
        }
        return try finish()
    }
}

/// A JSON object with access by key path.
struct JSONObject {
    private let fields: [String: Any]

    init(_ text: String) throws {
        fields = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any], "\(text)")
    }

    private init(_ fields: [String: Any]) { self.fields = fields }

    private func value(_ path: [String]) -> Any? {
        path.reduce(fields as Any?) { value, name in (value as? [String: Any])?[name] }
    }

    func text(_ path: String...) -> String? { value(path) as? String }
    func int(_ path: String...) -> Int? { (value(path) as? NSNumber)?.intValue }
    func bool(_ path: String...) -> Bool? { (value(path) as? NSNumber)?.boolValue }
    func objects(_ path: String...) -> [JSONObject] { (value(path) as? [[String: Any]] ?? []).map(JSONObject.init) }
}

/// Whether a process exists and is not a zombie.
func isRunning(_ pid: pid_t) -> Bool {
    guard let status = FileManager.default.contents(atPath: "/proc/\(pid)/stat") else { return false }
    return String(decoding: status, as: UTF8.self).split(separator: ")").last?.split(separator: " ").first != "Z"
}
