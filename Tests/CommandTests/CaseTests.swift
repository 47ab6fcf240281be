import Foundation
import Glibc
import Testing

/// End-to-end runs of the command, described by files: `Tests/Cases/NAME` holds the pipeline, its
/// input and the complete expected output.
///
/// | file | |
/// | --- | --- |
/// | `pipeline.yaml` and inputs | copied to a new folder, where the command runs |
/// | `arguments` | the command's arguments, if not `run pipeline.yaml --progress none` |
/// | `stdin` | the command's standard input |
/// | `server.py` | a server to run beside it, which writes its port to `port`, the parameter of that name |
/// | `expected/status`, `stdout`, `ledger` | exit code, standard output, ledger line |
/// | `expected/files/…` | every file in `out/` and the dead letters, without `.gz` |
///
/// `SLUICE_WRITE_EXPECTED=1` regenerates `expected`.
@Suite("Cases")
struct CaseTests {
    static let folder = CommandUnderTest.root.appending(path: "Tests/Cases")
    static let names: [String] = {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.filter { FileManager.default.fileExists(atPath: folder.appending(path: "\($0)/pipeline.yaml").path) }.sorted()
    }()

    @Test("give the expected results, with 1 worker and with 8", arguments: names)
    func run(name: String) throws {
        let folder = Self.folder.appending(path: name)
        let one = try outcome(of: folder, workers: 1)
        let eight = try outcome(of: folder, workers: 8)
        #expect(one == eight)
        if ProcessInfo.processInfo.environment["SLUICE_WRITE_EXPECTED"] != nil { try one.write(to: folder.appending(path: "expected")) }
        #expect(try one == CaseOutcome(expectedIn: folder.appending(path: "expected")))
    }

    private func serve(_ command: CommandUnderTest) throws -> (port: String, process: RunningCommand)? {
        guard FileManager.default.fileExists(atPath: command.folder.appending(path: "server.py").path) else { return nil }
        let process = try command.start(URL(filePath: "/usr/bin/env"), ["python3", "server.py"])
        while !FileManager.default.fileExists(atPath: command.folder.appending(path: "port").path), process.process.isRunning { poll(nil, 0, 10) }
        return (try command.text(of: "port"), process)
    }

    private func outcome(of folder: URL, workers: Int) throws -> CaseOutcome {
        let command = try CommandUnderTest(copying: folder)
        defer { command.remove() }
        let arguments = (try? String(contentsOf: folder.appending(path: "arguments"), encoding: .utf8)) ?? "run pipeline.yaml --progress none"
        let input = (try? String(contentsOf: folder.appending(path: "stdin"), encoding: .utf8)) ?? ""
        var words = arguments.split(whereSeparator: \.isWhitespace).map(String.init)
        let server = try serve(command)
        defer { server?.process.end() }
        if let server { words += ["--set", "port=\(server.port)"] }
        let result = try command.run(words + ["--workers", "\(workers)", "--state", "state"], input: input)
        var outcome = CaseOutcome(status: Int(result.status), stdout: result.output, ledger: "", files: [:])
        outcome.ledger = result.error.split(separator: "\n").first { $0.hasPrefix("  ledger:") }.map { "\($0.dropFirst(2))\n" } ?? result.error
        for top in ["out", "state"] {
            let files = FileManager.default.enumerator(atPath: command.folder.appending(path: top).path)?.allObjects as? [String] ?? []
            for file in files where !file.hasSuffix("report.json") && !file.hasSuffix("samples.json") {
                var isFolder: ObjCBool = false
                let path = "\(top)/\(file)"
                guard FileManager.default.fileExists(atPath: command.folder.appending(path: path).path, isDirectory: &isFolder), !isFolder.boolValue else {
                    continue
                }
                outcome.files[path.hasSuffix(".gz") ? String(path.dropLast(3)) : path] = try command.text(of: path)
            }
        }
        if [0, 3].contains(result.status), input.isEmpty {
            #expect(try command.run("audit", "state/report.json").status == 0)
        }
        return outcome
    }
}

extension RunningCommand {
    /// SIGTERM may be blocked in processes that a test starts.
    fileprivate func end() {
        signal(SIGKILL)
        process.waitUntilExit()
    }
}

struct CaseOutcome: Equatable {
    var status: Int
    var stdout: String
    /// The ledger line, or all of standard error if it has no such line.
    var ledger: String
    var files: [String: String]
}

extension CaseOutcome {
    init(expectedIn folder: URL) throws {
        let text = { (name: String) in try String(contentsOf: folder.appending(path: name), encoding: .utf8) }
        self.init(
            status: Int(try text("status").trimmingCharacters(in: .whitespacesAndNewlines)) ?? -1, stdout: try text("stdout"), ledger: try text("ledger"),
            files: [:])
        let files = FileManager.default.enumerator(atPath: folder.appending(path: "files").path)?.allObjects as? [String] ?? []
        for file in files where try folder.appending(path: "files/\(file)").resourceValues(forKeys: [.isRegularFileKey]).isRegularFile == true {
            self.files[file] = try text("files/\(file)")
        }
    }

    func write(to folder: URL) throws {
        if FileManager.default.fileExists(atPath: folder.path) { try FileManager.default.removeItem(at: folder) }
        let write = { (name: String, text: String) in
            let file = folder.appending(path: name)
            try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }
        try write("status", "\(status)\n")
        try write("stdout", stdout)
        try write("ledger", ledger)
        for (name, text) in files { try write("files/\(name)", text) }
    }
}
