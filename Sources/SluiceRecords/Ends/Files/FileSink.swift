import SluiceCEL

/// `file`: files whose path may contain expressions. They appear, complete, when the run has
/// succeeded.
package struct FileSink: DeclaredSink {
    package static let declaration = Declaration(
        "file", "a file; `{…}` in its path are expressions, so that each record goes to the file that its values name",
        argument: .text,
        options: [
            ArgumentKey(
                "level", .choice(CompressionLevel.names), default: "default", example: "level: fast",
                "the compression level, for names that end in `.gz` or `.zst`"),
            ArgumentKey(
                "members", .choice(GzipMembers.allCases.map(\.rawValue)), default: "one", example: "members: many",
                "for names that end in `.gz`: `one` gzip member, which every reader reads completely, or `many`, one for each block of text, mostly of 128 KiB to 1 MiB"
            ),
            ArgumentKey(
                "part", .word(TaskParts.word, or: .short(.size(1...(1 << 50)), for: "bytes", in: PartLimit.keys + [TaskParts.key])),
                example: "part: 256MiB",
                "divides the output into `name-00001.jsonl.gz`, `name-00002.jsonl.gz` and so on, each with at most so much text; `task`: one "
                    + "from each task of a run on more machines"),
        ],
        example: "file: out/errors.jsonl.gz")

    package let path: PathTemplate
    package let fileExtension: String?
    package let compression: CompressionLevel?
    package let members: GzipMembers
    package let codec: OutputCodec
    package let part: PartLimit?
    package let hasTaskParts: Bool

    package init(
        _ path: PathTemplate, fileExtension: String? = nil, compression: CompressionLevel? = nil, members: GzipMembers = .one,
        codec: OutputCodec = .gzip, part: PartLimit? = nil, hasTaskParts: Bool = false
    ) {
        self.path = path
        self.fileExtension = fileExtension
        self.compression = compression
        self.members = members
        self.codec = codec
        self.part = part
        self.hasTaskParts = hasTaskParts
    }

    package init?(_ argument: Argument, options: Arguments, _ checking: inout Checking) {
        guard let leaf = argument.leaf, let template = PathTemplate(leaf, &checking) else { return nil }
        let name = FileName(leaf.text)
        if let ending = name.unwritableEnding {
            checking.report("'.\(ending)' can be read but not written", at: leaf.place, fix: "use a file name that ends in .gz or .zst")
            return nil
        }
        if let format = name.unknownFormat {
            checking.report(
                "'.\(format)' is a format that cannot be written", at: leaf.place, fix: "write one of: \(Formats.writableNames.joined(separator: ", "))")
            return nil
        }
        if let level = options["level"], name.codec == nil {
            checking.report("'level' is only for compressed files", at: level.place, fix: "use a file name that ends in .gz or .zst, or remove 'level'")
            return nil
        }
        if let members = options["members"], name.codec != .gzip {
            checking.report("'members' is only for gzip files", at: members.place, fix: "use a file name that ends in .gz, or remove 'members'")
            return nil
        }
        var compression: CompressionLevel? = name.codec == nil ? nil : .standard
        if let level = options["level"]?.leaf {
            compression = CompressionLevel(level.text)
        }
        let members = options["members"]?.leaf.flatMap { GzipMembers(rawValue: $0.text) } ?? .one
        var part: PartLimit?
        let hasTaskParts = options["part"].map(TaskParts.areMeant) ?? false
        if let argument = options["part"] {
            if !hasTaskParts || PartLimit.isGiven(by: argument) {
                guard let limit = PartLimit(argument, &checking) else { return nil }
                part = limit
            }
            if let path = template.constant, case .file(size: nil) = PathKind.of(path) {
                checking.report("'part' is for files, and '\(path)' is a device or a pipe", at: argument.place, fix: "name a file, or remove 'part'")
                return nil
            }
        }
        self.init(
            template, fileExtension: name.fileExtension, compression: compression, members: members, codec: name.codec ?? .gzip, part: part,
            hasTaskParts: hasTaskParts)
    }

    package func open(empty: [UInt8], staging: Staging) -> any OpenSink { OutputSet(emptyFile: empty, staging: staging, within: path.confinement) }

    package func file(of output: String) throws(InputError) -> FileIdentity? { try .ofRegularFile(output) }

    package func place(of output: String) throws(InputError) -> FilePlace? { try .ofOutput(output) }

    package func naming(withSuffix suffix: String) -> any RecordSink {
        if let path = path.constant, case .file(size: nil) = PathKind.of(path) { return self }
        return FileSink(
            path.adding(suffix: suffix), fileExtension: fileExtension, compression: compression, members: members, codec: codec, part: part,
            hasTaskParts: hasTaskParts)
    }

    /// A value must not name a folder, or a file that a link leads to.
    package func refusal(of output: String) throws(InputError) -> String? {
        if let fixed = path.confinement, let reason = OutputFolder(of: NameBytes.normalized(output), within: NameBytes.normalized(fixed)).linkRefusal {
            return reason
        }
        switch PathKind.of(output) {
        case .folder: return "'\(output)' is a folder"
        case .file(size: nil):
            // It would be written into, not replaced, so the link would be followed.
            if try FilePlace(output) != FilePlace(output, followingLinks: true) { return "'\(output)' is a link to a device or a pipe" }
        case .file, .missing, .unreadable: break
        }
        return nil
    }
}

/// What the extensions of a file's name say about its contents.
package struct FileName {
    private let name: Substring
    private let extensions: [Substring]

    package init(_ path: String) {
        name = path.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
        extensions = Array(name.split(separator: ".", omittingEmptySubsequences: false).dropFirst())
    }

    /// The compression for a file of this name.
    package var codec: OutputCodec? { extensions.last.flatMap { OutputCodec(rawValue: $0.lowercased()) } }

    /// The extension, if it names a compression that can be read but not written.
    package var unwritableEnding: String? { extensions.last.map { $0.lowercased() }.flatMap { ["bz2", "xz"].contains($0) ? $0 : nil } }

    /// The extension, if it names a format of other programs that is not written.
    var unknownFormat: String? {
        let known = ["parquet", "avro", "orc", "arrow", "feather", "xlsx", "xls", "xml"]
        return fileExtension.flatMap { known.contains($0) ? $0 : nil }
    }

    /// The extension before any `.gz` or the like.
    package var fileExtension: String? {
        (codec == nil && unwritableEnding == nil ? extensions[...] : extensions.dropLast()).last.map { $0.lowercased() }
    }

    /// The path with a suffix before the extensions of its name: `out/a.new.jsonl.gz`.
    package static func adding(_ suffix: String, to path: String) -> String {
        let name = path.utf8.lastIndex(of: UInt8(ascii: "/")).map { path[path.utf8.index(after: $0)...] } ?? path[...]
        let stem = FileName(path).stem
        return path[..<name.startIndex] + stem + "." + suffix + name.dropFirst(stem.count)
    }

    /// The name without its extensions; a dot at its beginning begins none.
    package var stem: Substring {
        let taken = extensions.suffix(codec == nil ? 1 : 2)
        let stem = name.dropLast(taken.reduce(0) { $0 + $1.count + 1 })
        return stem.isEmpty ? name : stem
    }
}
