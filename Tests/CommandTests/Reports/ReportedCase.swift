import Foundation
import SluiceCEL
import SluiceRecords
import Testing

/// The folder of a reported problem: `pipeline.yaml`, its inputs, and `expected.txt`, which ends
/// with a JSON object that has some of these keys:
///
/// | key | |
/// | --- | --- |
/// | `exit` | the exit code, or a list of acceptable ones |
/// | `out` | every file in `out/`, with its lines |
/// | `n` | files, with their line counts |
/// | `dead` | the codes of the dead letters |
struct ReportedCase {
    /// Nil if the folder doesn't exist.
    static let root: URL? = {
        let named = ProcessInfo.processInfo.environment["SLUICE_REPORTS"].map { URL(filePath: $0) }
        let folder = named ?? CommandUnderTest.root.deletingLastPathComponent().appending(path: "shared/reports")
        return FileManager.default.fileExists(atPath: folder.path) ? folder : nil
    }()

    static let names: [String] = {
        let names = root.flatMap { try? FileManager.default.contentsOfDirectory(atPath: $0.path) } ?? []
        return names.filter { name in root.map { FileManager.default.fileExists(atPath: $0.path + "/\(name)/pipeline.yaml") } ?? false }.sorted()
    }()

    let name: String
    let folder: URL
    /// Nil if `expected.txt` describes the expected result in prose only.
    let expected: ValueMap?

    init(_ name: String, in reports: URL) throws {
        self.name = name
        folder = reports.appending(path: name)
        let text = try String(contentsOf: folder.appending(path: "expected.txt"), encoding: .utf8)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        expected = try lines.firstIndex(of: "{").map { try Self.object(lines[$0...].joined(separator: "\n")) }
    }

    /// Uses the project's own parser: Foundation's treats two keys that differ only in Unicode
    /// normalization as one.
    private static func object(_ text: String) throws -> ValueMap {
        let padded = Array(text.utf8) + [UInt8](repeating: 0, count: 64)
        let value = try padded.withUnsafeBufferPointer { try JSONReader().value(ofJSON: UnsafeBufferPointer(rebasing: $0.dropLast(64))) }
        guard case .map(let map) = value else { throw CocoaError(.propertyListReadCorrupt) }
        return map
    }

    var pipeline: String { get throws { try String(contentsOf: folder.appending(path: "pipeline.yaml"), encoding: .utf8) } }

    /// Copies the case's files to a new folder. Uses `cp`, because Foundation doesn't copy files
    /// whose names are not UTF-8.
    func prepared() throws -> CommandUnderTest {
        let command = try CommandUnderTest()
        let copied = try command.start(URL(filePath: "/bin/cp"), ["-R", folder.path + "/.", "."]).finish()
        guard copied.status == 0 else { throw CocoaError(.fileReadUnknown, userInfo: [NSDebugDescriptionErrorKey: copied.error]) }
        return command
    }

    /// The differences between the result of a run and what is expected.
    func problems(after run: CommandUnderTest.Result, _ command: CommandUnderTest) throws -> [String] {
        guard let expected else { return ["expected.txt says in words what is right, and no check of it is written here"] }
        var problems: [String] = []
        let statuses = expected["exit"].map { $0.list ?? [$0] } ?? []
        if !statuses.contains(.int(Int64(run.status))) { problems.append("exit \(run.status): \(run.error)") }
        if case .map(let files)? = expected["out"] {
            let found = try command.files.filter { $0.hasPrefix("out/") }
            let wanted = files.entries.compactMap(\.key.text)
            for file in found where !wanted.containsSame(as: file) { problems.append("\(file) is there: \(command.lines(of: file))") }
            for (file, entry) in zip(wanted, files.entries) {
                let lines = (entry.value.list ?? []).compactMap(\.text)
                if !command.isThere(file) { problems.append("\(file) is not there") }
                // The reports predate the field `zone`.
                let found = command.lines(of: file).map { $0.replacing("\"zone\":\"+0000\",", with: "") }
                if !found.elementsEqual(lines, by: { $0.isSame(as: $1) }) { problems.append("\(file): \(command.lines(of: file))") }
            }
        }
        if case .map(let counts)? = expected["n"] {
            for entry in counts.entries {
                let file = entry.key.text ?? ""
                if entry.value != .int(Int64(command.lines(of: file).count)) { problems.append("\(file): \(command.lines(of: file))") }
            }
        }
        if let codes = expected["dead"]?.list, try command.deadLetterCodes != codes.compactMap(\.text) {
            problems.append("dead letters: \(try command.deadLetters)")
        }
        return problems
    }
}

extension CommandUnderTest {
    /// The dead letters of a pipeline called `t` that has no `dead_letter` of its own.
    var deadLetters: [String] {
        get throws {
            guard isThere(".sluice/t/dead-letter.jsonl.gz") else { return [] }
            return try text(of: ".sluice/t/dead-letter.jsonl.gz").split(separator: "\n").map(String.init)
        }
    }

    fileprivate var deadLetterCodes: [String] {
        get throws { try deadLetters.map { try JSONObject($0).text("error", "code") ?? "" } }
    }
}

extension Value {
    fileprivate var list: [Value]? {
        if case .list(let values) = self { return values }
        return nil
    }

    fileprivate var text: String? {
        if case .string(let text) = self { return text }
        return nil
    }
}
