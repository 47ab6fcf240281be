import SluiceCEL

/// `file`: files under a path that may have expressions in it, which appear whole when the run has
/// ended well.
package struct FileSink: DeclaredSink {
    package static let declaration = Declaration(
        "file", "files; `{…}` in the path are expressions, so that each record goes to the file that its values name",
        argument: .text,
        options: [
            ArgumentKey(
                "level", .choice(CompressionLevel.names), default: "default", example: "level: fast",
                "of compression, for names that end in `.gz`"),
            ArgumentKey(
                "members", .choice(GzipMembers.allCases.map(\.rawValue)), default: "one", example: "members: many",
                "of a name that ends in `.gz`: one, which every reader reads whole, or many, one for each MiB of text"),
        ],
        example: "file: out/errors.jsonl.gz")

    package let path: PathTemplate
    package let fileExtension: String?
    package let compression: CompressionLevel?
    package let members: GzipMembers

    package init(
        _ path: PathTemplate, fileExtension: String? = nil, compression: CompressionLevel? = nil, members: GzipMembers = .one
    ) {
        self.path = path
        self.fileExtension = fileExtension
        self.compression = compression
        self.members = members
    }

    package init?(_ argument: Argument, options: Arguments, _ checking: inout Checking) {
        guard let leaf = argument.leaf, let template = PathTemplate(leaf, &checking) else { return nil }
        let name = FileName(leaf.text)
        for key in ["level", "members"] where !name.isGzip {
            guard let option = options[key] else { continue }
            checking.report(
                "'\(key)' is for compressed files", at: option.place, fix: "end the file's name in .gz, or take '\(key)' away")
            return nil
        }
        var compression: CompressionLevel? = name.isGzip ? .standard : nil
        if let level = options["level"]?.leaf {
            compression = CompressionLevel(level.text)
        }
        let members = options["members"]?.leaf.flatMap { GzipMembers(rawValue: $0.text) } ?? .one
        self.init(template, fileExtension: name.fileExtension, compression: compression, members: members)
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
