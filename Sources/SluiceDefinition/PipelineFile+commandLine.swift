internal import FoundationEssentials
internal import Glibc
internal import SluiceCEL
internal import SluiceRecords

extension PipelineFile {
    /// What stands in messages for the name of a file.
    package static let commandLineName = "command line"

    /// The pipeline that options of the command make: as text, so that it is read, checked and
    /// shown in messages as a file is.
    ///
    /// - Parameters:
    ///   - files: paths and patterns.
    ///   - format: as YAML.
    ///   - stages: each as YAML: `keep: status >= 500`.
    ///   - output: a path; standard output where there is none.
    package init(reading files: [String], format: String?, stages: [String], writing output: String?) {
        let source = Sources.all[0].declaration.name
        var body = "source:\n  \(source): [\(files.map(StarterFile.quoted).joined(separator: ", "))]\n"
        if let format { body += "  format: \(Self.indented(format, by: 4))\n" }
        if !stages.isEmpty { body += "stages:\n" + stages.map { "  - \(Self.indented($0, by: 4))\n" }.joined() }
        body += "sink: " + (output.map { "{\(FileSink.declaration.name): \(StarterFile.quoted($0))}" } ?? "{\(StandardOutputSink.declaration.example)}") + "\n"
        // Two questions at once have two state folders.
        let digest = Digest.of(body).prefix(8)
        self.init(path: Self.commandLineName, text: "name: question-\(digest)\n\(body)")
    }

    /// Whether there is a file of that path.
    var isOnDisk: Bool { path != "-" && path != Self.commandLineName }

    static func standardInput() throws -> Data {
        var data = Data()
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Glibc.read(STDIN_FILENO, &piece, piece.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw CocoaError(.fileReadUnknown) }
            guard count > 0, data.count <= 2 << 20 else { return data }
            data.append(contentsOf: piece[..<count])
        }
    }

    private static func indented(_ text: String, by columns: Int) -> String {
        text.replacing("\n", with: "\n" + String(repeating: " ", count: columns))
    }
}
