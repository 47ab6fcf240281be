import SluiceCEL

extension RunReport {
    /// How texts that are not lines are cut into records, and which of them are set aside: what an
    /// audit needs to count them again.
    package struct Framings: Codable, Sendable, Equatable {
        package var inputs: Fields?
        /// How lines of the inputs are joined: by lines that the pattern `starts` or `continues`.
        package var multiline: [String: String]?
        /// Whether records of the inputs may begin with the number of their bytes.
        package var octetCounting: Bool?
        package var outputs: Fields?
        /// For JSON documents as inputs, the path to the list of records; empty if there is none.
        package var documents: [String]?
        /// In bytes; an unclosed quote is given up after this many.
        package var maxRecord: Int
        /// The encoding of the inputs; `nil` for UTF-8.
        package var encoding: String?
        /// What the inputs are archives of; `nil` if they are none.
        package var archive: String?
        /// Patterns of files in archives that were left out.
        package var excluded: [String]?
        /// Whether the records of damaged members are dead letters; `nil`: they are not.
        package var setAside: Bool?
    }

    /// The framing of delimited text.
    package struct Fields: Codable, Sendable, Equatable {
        package var separator: String
        /// `nil` if there are no quotes.
        package var quote: String?
        package var escape: String
        package var comment: String?
        package var trim: Bool
        /// Whether the first record of a file is a header.
        package var header: Bool
        /// Whether files may have `#` lines instead of a header; `nil`: they may not.
        package var directives: Bool?
        /// The number of fields of a record, if the header does not determine it.
        package var columns: Int?

        init?(_ framing: Framing) {
            guard case .quoted(let quoting) = framing else { return nil }
            separator = Self.text(quoting.separator)
            quote = quoting.quote.map(Self.text)
            escape = Self.text(quoting.escape)
            comment = quoting.comment.map(Self.text)
            trim = quoting.trimsBlanks
            header = quoting.hasHead
            directives = quoting.hasDirectives ? true : nil
            columns = quoting.fieldCount
        }

        var framing: Framing {
            .quoted(
                Quoting(
                    separator: Self.byte(separator), quote: quote.map(Self.byte), escape: Self.byte(escape), comment: comment.map(Self.byte),
                    trimsBlanks: trim, hasHead: header, hasDirectives: directives ?? false, fieldCount: columns))
        }

        private static func text(_ byte: UInt8) -> String { String(Character(UnicodeScalar(byte))) }
        private static func byte(_ text: String) -> UInt8 { text.utf8.first ?? 0 }
    }
}

extension RunReport.Framings {
    /// How archives were read.
    var inputArchive: Archive? {
        guard archive != nil else { return nil }
        return (try? Archive(excluding: excluded ?? [])) ?? Archive()
    }

    var inputFraming: Framing {
        if let documents { return .documents(path: documents) }
        if let inputs { return inputs.framing }
        if octetCounting == true { return .syslog }
        guard let (kind, text) = multiline?.first, let lines = Multiline.Lines(rawValue: kind), let pattern = try? Pattern(text) else { return .lines }
        return .multiline(Multiline(lines, pattern))
    }

    /// - Returns: `nil` if all texts are lines, and all whole records are delivered.
    init?(_ pipeline: RecordPipeline) {
        let isReplay = pipeline.source.replay != nil
        let framing = isReplay ? .lines : pipeline.source.framing
        let inputs = RunReport.Fields(framing)
        let outputs = pipeline.sinks.count == 1 ? RunReport.Fields(pipeline.sinks[0].format.writtenFraming) : nil
        let encoding = pipeline.source.encoding == .utf8 || isReplay ? nil : pipeline.source.encoding.rawValue
        var documents: [String]?
        if case .documents(let path) = framing { documents = path }
        let archive = isReplay ? nil : pipeline.source.archive
        let setsAside = !isReplay && pipeline.source.onDamage == .setAside
        let hasOnlyLines = framing == .lines && encoding == nil && archive == nil && pipeline.sinks.allSatisfy { $0.format.writtenFraming == .lines }
        guard !hasOnlyLines || setsAside else { return nil }
        self.init(inputs: inputs, outputs: outputs, documents: documents, maxRecord: pipeline.source.maxRecord, encoding: encoding)
        if case .multiline(let multiline) = framing { self.multiline = [multiline.lines.rawValue: multiline.pattern.text] }
        if case .syslog = framing { octetCounting = true }
        if setsAside { setAside = true }
        self.archive = archive?.kind.rawValue
        excluded = archive.map(\.excludedPatterns).flatMap { $0.isEmpty ? nil : $0 }
    }
}
