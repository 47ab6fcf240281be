extension RunReport {
    /// The libraries that decompressed the inputs and compressed the outputs.
    public struct Libraries: Codable, Sendable, Equatable {
        /// For example `ISA-L 2.30`.
        public var inflate: String
        /// With the library's own level: `ISA-L 2.30, level 1`. Describes the outputs, or the dead
        /// letters if only they are compressed.
        public var deflate: String?

        /// - Parameter level: the level of the outputs; `nil` if nothing is compressed.
        package init(level: CompressionLevel?) {
            inflate = DeflateLibrary.preferred.title
            deflate = level.map { level in
                let (library, number) = DeflateLibrary.preferred.deflating(at: level)
                return "\(library.title), level \(number)"
            }
        }

        /// The other libraries that are always loaded, with their versions.
        package static var others: [String] {
            ["zstd \(ZstdOutputs.version)", "bzip2 \(Bzip2Codec.version)", "xz \(XZCodec.version)", "SQLite \(SQLiteDatabase.version)"]
        }

        package init(_ pipeline: RecordPipeline) {
            let sink = pipeline.sinks.lazy.map(\.sink).first { $0.compression != nil }
            let level = sink?.compression ?? (FileName(pipeline.deadLetters).codec == nil ? nil : .standard)
            self.init(level: level)
            if let level, sink.map(\.codec) ?? FileName(pipeline.deadLetters).codec == .zstd {
                deflate = "zstd \(ZstdOutputs.version), level \(level.zstd)"
            }
        }
    }
}
