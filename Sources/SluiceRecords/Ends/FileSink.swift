import SluiceCEL

/// `file`: files under a path that may have expressions in it, which appear whole when the run has
/// ended well.
package struct FileSink: DeclaredSink {
    package static let declaration = Declaration(
        "file", "files; `{…}` in the path are expressions, so that each record goes to the file that its values name",
        argument: .text,
        options: [
            ArgumentKey(
                "level", .text, example: "level: fast",
                "of compression, for names that end in `.gz`: `fast`, `default`, `best`, or 0 to 9")
        ],
        example: "sink: {file: out/errors.jsonl.gz}")

    package let path: PathTemplate
    package let fileExtension: String?
    package let compression: CompressionLevel?

    package init(_ path: PathTemplate, fileExtension: String? = nil, compression: CompressionLevel? = nil) {
        self.path = path
        self.fileExtension = fileExtension
        self.compression = compression
    }

    package init?(_ argument: Argument, options: Arguments, _ checking: inout Checking) {
        guard let leaf = argument.leaf, let template = PathTemplate(leaf, &checking) else { return nil }
        let name = FileName(leaf.text)
        var compression: CompressionLevel? = name.isGzip ? .standard : nil
        if let level = options["level"]?.leaf {
            guard name.isGzip else {
                checking.report(
                    "'level' is for compressed files", at: level.place, fix: "end the file's name in .gz, or take the level away")
                return nil
            }
            compression = CompressionLevel(level.text)
            if compression == nil {
                checking.report("'level' cannot be '\(level.text)'", at: level.place, fix: "write fast, default, best, or 0 to 9")
                return nil
            }
        }
        self.init(template, fileExtension: name.fileExtension, compression: compression)
    }

    package func open(empty: [UInt8], staging: Staging) -> any OpenSink { OutputSet(emptyFile: empty, staging: staging) }

    package func file(of output: String) throws(InputError) -> FileIdentity? { try .ofRegularFile(output) }

    package func place(of output: String) throws(InputError) -> FilePlace? { try .ofOutput(output) }
}

/// What a file's name says about what is in it.
package struct FileName {
    private let extensions: [Substring]

    package init(_ path: String) {
        let name = path.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
        extensions = Array(name.split(separator: ".", omittingEmptySubsequences: false).dropFirst())
    }

    package var isGzip: Bool { extensions.last == "gz" }

    /// What stands before `.gz`.
    package var fileExtension: String? { (isGzip ? extensions.dropLast() : extensions[...]).last.map(String.init) }
}
