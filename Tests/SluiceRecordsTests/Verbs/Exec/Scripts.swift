import WorkerPools
import Foundation
import Synchronization
import Testing

@testable import SluiceRecords

/// Child scripts for tests, in a temporary folder.
struct Scripts {
    let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("sluice-exec-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    func remove() {
        do { try FileManager.default.removeItem(at: folder) } catch { Issue.record(error) }
    }

    func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

    func text(of name: String) throws -> String { try String(contentsOfFile: path(name), encoding: .utf8) }

    /// Creates a shell script; `$DIR` is the temporary folder.
    func shell(_ body: String) throws -> [String] {
        let file = path("child.sh")
        try "DIR='\(folder.path)'\n\(body)\n".write(toFile: file, atomically: true, encoding: .utf8)
        return ["/bin/sh", file]
    }

    /// Creates a Python script; `DIR` is the temporary folder.
    func python(_ body: String) throws -> [String] {
        let file = path("child.py")
        try "DIR = '\(folder.path)'\n\(body)\n".write(toFile: file, atomically: true, encoding: .utf8)
        return ["python3", file]
    }
}

/// The lines that children wrote to standard error.
final class Said: Sendable {
    private let lines = Mutex<[String]>([])

    func add(_ line: String) { lines.withLock { $0.append(line) } }
    var all: [String] { lines.withLock { $0 } }

    /// Waits until some line contains `text`; bounded by the time limit of the test.
    func waits(for text: String) {
        while !all.contains(where: { $0.contains(text) }), !Task.isCancelled { poll(nil, 0, 10) }
    }
}

extension ExecPool {
    /// A pool of one child by default, with limits suitable for tests.
    static func test(
        _ command: [String], limit: Int = 1, timeout: Duration? = .seconds(20), grace: Duration = .milliseconds(200),
        settle: Duration = .milliseconds(20), patience: Duration = .seconds(600), retry: RetryPolicy? = nil, said: Said = Said()
    ) -> ExecPool {
        var bounds = ChildProtocol.Bounds(timeout: timeout)
        bounds.grace = grace
        bounds.settle = settle
        return ExecPool(
            ChildLoop.Configuration(name: "test", command: command, limit: limit, bounds: bounds, patience: patience, log: { said.add($0) }),
            leastWorkers: limit, retry: retry)
    }

    func answer(_ text: String) async -> ExecOutcome { await answer(Array(text.utf8)) }
}

extension ExecOutcome {
    var text: String? {
        if case .answer(let line) = self { String(decoding: line, as: UTF8.self) } else { nil }
    }

    var code: String? {
        if case .failed(let code, _, _) = self { code } else { nil }
    }

    var message: String? {
        if case .failed(_, let message, _) = self { message } else { nil }
    }

    var attempts: Int? {
        if case .failed(_, _, let attempts) = self { attempts } else { nil }
    }
}

/// Whether a process exists, possibly as a zombie.
func isThere(_ pid: pid_t) -> Bool { kill(pid, 0) == 0 }
