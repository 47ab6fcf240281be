extension RunReport {
    /// What inflated the inputs and deflated the outputs.
    public struct Libraries: Codable, Sendable, Equatable {
        /// `ISA-L 2.30`
        public var inflate: String
        /// With its own level: `ISA-L 2.30, level 1`. Of the outputs, or of the dead letters where
        /// only they are compressed.
        public var deflate: String?

        /// - Parameter level: of what is written; `nil` where nothing is compressed.
        package init(level: CompressionLevel?) {
            inflate = DeflateLibrary.preferred.title
            deflate = level.map { level in
                let (library, number) = DeflateLibrary.preferred.deflating(at: level)
                return "\(library.title), level \(number)"
            }
        }

        package init(_ pipeline: RecordPipeline) {
            self.init(level: pipeline.sinks.lazy.compactMap(\.sink.compression).first ?? (pipeline.deadLetters.hasSuffix(".gz") ? .standard : nil))
        }
    }
}
