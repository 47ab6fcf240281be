extension RunReport {
    /// How texts are cut into records, as far as not into lines: what it takes to count them again.
    package struct Framings: Codable, Sendable, Equatable {
        package var inputs: Fields?
        package var outputs: Fields?
        /// Bytes: where a quote without an end is given up.
        package var maxRecord: Int
    }

    /// Records of fields.
    package struct Fields: Codable, Sendable, Equatable {
        package var separator: String
        /// `nil`: there are no quotes.
        package var quote: String?
        package var escape: String
        package var comment: String?
        package var trim: Bool
        /// Whether a file's first record is none.
        package var header: Bool
        /// How many fields a record has, where the header does not say it.
        package var columns: Int?

        init?(_ framing: Framing) {
            guard case .quoted(let quoting) = framing else { return nil }
            separator = Self.text(quoting.separator)
            quote = quoting.quote.map(Self.text)
            escape = Self.text(quoting.escape)
            comment = quoting.comment.map(Self.text)
            trim = quoting.trimsBlanks
            header = quoting.hasHead
            columns = quoting.fieldCount
        }

        var framing: Framing {
            .quoted(
                Quoting(
                    separator: Self.byte(separator), quote: quote.map(Self.byte), escape: Self.byte(escape), comment: comment.map(Self.byte),
                    trimsBlanks: trim, hasHead: header, fieldCount: columns))
        }

        private static func text(_ byte: UInt8) -> String { String(Character(UnicodeScalar(byte))) }
        private static func byte(_ text: String) -> UInt8 { text.utf8.first ?? 0 }
    }
}

extension RunReport.Framings {
    /// - Returns: `nil` where all texts are lines.
    init?(_ pipeline: RecordPipeline) {
        let inputs = RunReport.Fields(pipeline.source.format.framing)
        let outputs = pipeline.sinks.count == 1 ? RunReport.Fields(pipeline.sinks[0].format.writtenFraming) : nil
        guard inputs != nil || pipeline.sinks.contains(where: { $0.format.writtenFraming != .lines }) else { return nil }
        self.init(inputs: inputs, outputs: outputs, maxRecord: pipeline.source.maxRecord)
    }
}
