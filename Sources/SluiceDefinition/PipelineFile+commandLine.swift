internal import Glibc
internal import SluiceCEL
internal import SluiceRecords

extension PipelineFile {
    /// The file name in messages about a pipeline without a file.
    package static let commandLineName = "command line"

    /// Creates the text of a pipeline file from command-line options, so that it is parsed, checked
    /// and shown in messages like a file.
    ///
    /// - Parameters:
    ///   - files: paths and patterns.
    ///   - format: the format as YAML.
    ///   - stages: the stages as YAML, such as `keep: status >= 500`.
    ///   - output: the path of the output; standard output if `nil`.
    package init(reading files: [String], format: String?, stages: [String], writing output: String?) {
        let source = Sources.all[0].declaration.name
        var body = "source:\n  \(source): [\(files.map(StarterFile.quoted).joined(separator: ", "))]\n"
        if let format { body += "  format: \(Self.indented(format, by: 4))\n" }
        if !stages.isEmpty { body += "stages:\n" + stages.map { "  - \(Self.indented($0, by: 4))\n" }.joined() }
        body += "sink: " + (output.map { "{\(FileSink.declaration.name): \(StarterFile.quoted($0))}" } ?? "{\(StandardOutputSink.declaration.example)}") + "\n"
        // Concurrent queries get different state folders.
        let digest = Digest.of(body).prefix(8)
        self.init(path: Self.commandLineName, text: "name: question-\(digest)\n\(body)")
    }

    /// Whether the text comes from a file.
    var isOnDisk: Bool { path != "-" && path != Self.commandLineName }

    /// The bytes of a file, or of standard input; no more than are enough to exceed the limit.
    static func bytes(of path: String) throws(UnreadablePipelineFile) -> [UInt8] {
        func failed(_ error: Int32) -> UnreadablePipelineFile {
            let isMissing = error == ENOENT || error == ENOTDIR
            let reason = error == EISDIR ? "it is a folder" : String(cString: strerror(error))
            return UnreadablePipelineFile(path: path, reason: isMissing ? .missing : .unreadable(reason))
        }
        let isStandardInput = path == "-"
        if !isStandardInput {
            do throws(InputError) {
                try InputFile(path: path).checkIsRegular()
            } catch .unreadable(_, let reason) {
                throw UnreadablePipelineFile(path: path, reason: .unreadable(reason))
            } catch {
                throw UnreadablePipelineFile(path: path, reason: .unreadable("\(error)"))
            }
        }
        let descriptor = isStandardInput ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)
        guard descriptor >= 0 else { throw failed(errno) }
        defer { if !isStandardInput { close(descriptor) } }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Glibc.read(descriptor, &piece, piece.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failed(errno) }
            guard count > 0, bytes.count <= 2 * YAMLDocument.sizeLimit else { return bytes }
            bytes += piece[..<count]
        }
    }

    private static func indented(_ text: String, by columns: Int) -> String {
        text.replacing("\n", with: "\n" + String(repeating: " ", count: columns))
    }
}
