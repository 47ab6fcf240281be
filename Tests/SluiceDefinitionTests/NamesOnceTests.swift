import Foundation
import SluiceRecords
import Testing

@testable import SluiceDefinition

@Suite("Names of verbs, formats, sources and sinks")
struct NamesOnceTests {
    static let sources = BadFilesTests.folder.appending(path: "../../../Sources").standardizedFileURL
    static let declared: [(kind: String, declaration: Declaration)] =
        Verbs.all.map { ("verb", $0.declaration) } + Formats.all.map { ("format", $0.declaration) }
        + Sources.all.map { ("source", $0.declaration) } + Sinks.all.map { ("sink", $0.declaration) }

    /// The Swift files that could contain such a name, with comments removed.
    static let files: [(path: String, code: String)] = {
        ["SluiceRecords", "SluiceDefinition", "sluice"].flatMap { room -> [(path: String, code: String)] in
            let folder = sources.appending(path: room)
            let paths = (FileManager.default.enumerator(atPath: folder.path)?.allObjects as? [String] ?? []).filter { $0.hasSuffix(".swift") }
            return paths.sorted().compactMap { path in
                guard let text = try? String(contentsOf: folder.appending(path: path), encoding: .utf8) else { return nil }
                let lines = text.split(separator: "\n").filter { !$0.drop { $0 == " " }.hasPrefix("//") }
                return ("\(room)/\(path)", lines.joined(separator: "\n"))
            }
        }
    }()

    @Test("are written in the file that declares them, and in no other")
    func once() throws {
        #expect(Self.files.count > 100)
        for (kind, declaration) in Self.declared {
            for name in [declaration.name] + declaration.aliases {
                let quoted = Self.files.filter { $0.code.contains("\"\(name)\"") && !Self.isOther(name, $0.path) }
                let own = quoted.filter { $0.code.contains(#/Declaration\(\s*"/#) }
                #expect(own.count == 1, "the \(kind) '\(name)' is declared in \(own.map(\.path))")
                #expect(quoted.count == own.count, "the \(kind) '\(name)' is named in \(quoted.map(\.path))")
            }
        }
    }

    /// Keys and options that share the name of a verb or sink but mean something else: `--set`,
    /// `--report <file>`, the fields that `explode` keeps, nginx's escape `json`, the `file` of a
    /// report's inputs.
    private static func isOther(_ name: String, _ path: String) -> Bool {
        let lookup = "SluiceRecords/Verbs/Lookup.swift"
        let others = [
            "set": ["sluice/Commands/PipelineOptions.swift"],
            "file": [
                "sluice/Commands/RunCommand.swift", "SluiceRecords/Ends/DeadLetters/DeadLetterTriage.swift", "SluiceRecords/Runs/Report/ReportText.swift",
                lookup,
            ],
            "keep": ["SluiceRecords/Verbs/Explode.swift", lookup], "drop": [lookup], "select": [lookup],
            "remove": ["SluiceRecords/Verbs/Redact.swift"],
            "json": [
                "SluiceRecords/Verbs/HTTP.swift",
                "SluiceRecords/Formats/Access.swift", "SluiceRecords/Formats/AccessLog/LogTemplate+nginx.swift", "sluice/Commands/AuditCommand.swift",
                "sluice/Commands/ReportOption.swift", "sluice/Commands/Eval.swift",
            ],
        ]
        return others[name]?.contains(path) ?? false
    }
}
