import Foundation

/// The built `sluice` binary, run in a temporary folder.
struct CommandUnderTest {
    struct Result {
        var status: Int32
        var output: String
        var error: String
    }

    static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardizedFileURL

    /// The binary next to the test bundle, whatever the build folder is called, or the one that
    /// `SLUICE_UNDER_TEST` names: an optimized one is several times faster.
    static let binary: URL = {
        if let path = ProcessInfo.processInfo.environment["SLUICE_UNDER_TEST"] { return URL(filePath: path) }
        let bundle = CommandLine.arguments.first { $0.contains(".xctest") }.map { URL(filePath: $0) }
        var folder = bundle ?? root.appending(path: ".build/debug/x")
        while folder.path != "/", folder.path.contains(".xctest") { folder.deleteLastPathComponent() }
        return bundle == nil ? root.appending(path: ".build/debug/sluice") : folder.appending(path: "sluice")
    }()

    let folder: URL

    /// Creates the folder as a copy of `original`, or empty.
    init(copying original: URL? = nil) throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "sluice-test-\(UUID().uuidString)")
        if let original {
            try FileManager.default.copyItem(at: original, to: folder)
        } else {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        }
    }

    func remove() { try? FileManager.default.removeItem(at: folder) }

    func write(_ text: String, to name: String) throws {
        let file = folder.appending(path: name)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }

    /// The text of a file, decompressed if its name ends in `.gz`.
    func text(of name: String) throws -> String {
        guard name.hasSuffix(".gz") else { return try String(contentsOf: folder.appending(path: name), encoding: .utf8) }
        return try start(URL(filePath: "/bin/sh"), ["-c", "gzip -dc < '\(name)'"]).finish(input: "").output
    }

    func run(_ arguments: String..., input: String = "") throws -> Result {
        try run(arguments, input: input)
    }

    func run(_ arguments: [String], input: String = "", environment: [String: String] = [:]) throws -> Result {
        try start(nil, arguments, environment: environment).finish(input: input)
    }

    /// Runs a shell command with `sluice` in its PATH.
    func shell(_ command: String) throws -> Result {
        try start(URL(filePath: "/bin/sh"), ["-c", command]).finish(input: "")
    }

    /// - Parameter program: the program to start; the `sluice` binary by default.
    func start(_ program: URL? = nil, _ arguments: [String], environment: [String: String] = [:]) throws -> RunningCommand {
        try RunningCommand(program ?? Self.binary, arguments, in: folder, environment: environment)
    }
}

/// A process whose output goes to files, so that it never blocks on a full pipe.
final class RunningCommand {
    let process = Process()
    private let input = Pipe()
    private let output: URL
    private let error: URL

    init(_ program: URL, _ arguments: [String], in folder: URL, environment more: [String: String] = [:]) throws {
        let scratch = FileManager.default.temporaryDirectory.appending(path: "sluice-streams-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
        output = scratch.appending(path: "output")
        error = scratch.appending(path: "error")
        for file in [output, error] { try Data().write(to: file) }
        process.executableURL = program
        process.arguments = arguments
        process.currentDirectoryURL = folder
        var environment = ProcessInfo.processInfo.environment
        environment["PATH"] = CommandUnderTest.binary.deletingLastPathComponent().path + ":" + environment["PATH", default: "/usr/bin:/bin"]
        process.environment = environment.merging(more) { $1 }
        process.standardInput = input
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardError = try FileHandle(forWritingTo: error)
        try process.run()
    }

    func send(_ text: String) throws {
        try input.fileHandleForWriting.write(contentsOf: Data(text.utf8))
    }

    func signal(_ number: Int32) { kill(process.processIdentifier, number) }

    struct NeverSaid: Error {
        var text: String
        var said: String
    }

    /// Waits for a line of standard error that contains `text`.
    func line(with text: String) throws -> String {
        // With its end.
        while true {
            try waits(for: text)
            let said = try String(contentsOf: error, encoding: .utf8)
            if let line = said.split(separator: "\n", omittingEmptySubsequences: false).dropLast().first(where: { $0.contains(text) }) { return String(line) }
            poll(nil, 0, 10)
        }
    }

    /// Returns once standard error contains `text`. After a minute without it, ends the process and
    /// throws.
    func waits(for text: String) throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while true {
            let said = try String(contentsOf: error, encoding: .utf8)
            if said.contains(text) { return }
            guard ContinuousClock.now < deadline else {
                process.terminate()
                throw NeverSaid(text: text, said: said)
            }
            poll(nil, 0, 10)
        }
    }

    func finish(input text: String = "") throws -> CommandUnderTest.Result {
        if !text.isEmpty { try send(text) }
        try input.fileHandleForWriting.close()
        process.waitUntilExit()
        defer { try? FileManager.default.removeItem(at: output.deletingLastPathComponent()) }
        return CommandUnderTest.Result(
            status: process.terminationStatus, output: try String(contentsOf: output, encoding: .utf8),
            error: try String(contentsOf: error, encoding: .utf8))
    }
}
