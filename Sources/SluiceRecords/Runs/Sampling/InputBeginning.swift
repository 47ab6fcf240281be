/// Reads the beginning of an input, decompressed.
package enum InputBeginning {
    /// - Parameters:
    ///   - archive: if the input is an archive, how it is read; the text is that of the first file
    ///     in it that is not empty.
    ///   - encoding: that of the text, which is returned as UTF-8.
    ///   - bytes: the maximum number of bytes; a longer text is cut at its last line feed.
    ///   - format: if it is known; a longer text is then not cut between quotes.
    /// - Throws: ``InputError`` if the input cannot be opened. Damage ends the text.
    package static func text(
        of input: InputFile, from source: any RecordSource, as archive: Archive?, encoding: TextEncoding = .utf8, bytes most: Int = 64 << 10,
        format: (any Format)? = nil
    ) throws(InputError) -> [UInt8] {
        let bytes = try source.open(input, at: 0)
        defer { bytes.close() }
        var configuration = BatchReader.Configuration(spillFolder: "")
        configuration.encoding = encoding
        let buffers = BufferPool(capacity: Batch.targetBytes, most: 1)
        let text: (any TextSource)?
        if let archive {
            text = try ArchiveReader(input, of: bytes, as: archive, index: 0, configuration: configuration, buffers: buffers).firstText()
        } else {
            text = try BatchReader(input, of: bytes, index: 0, configuration: configuration, buffers: buffers).text
        }
        guard let text else { return [] }
        let buffer = ByteBuffer(capacity: most)
        reading: while buffer.count < most {
            let step = text.read(into: buffer.start + buffer.count, room: most - buffer.count)
            buffer.count += step.count
            switch step.event {
            case .end: return buffer.withFilled { Array($0) }
            case .damage:
                if let failure = bytes.failure { throw failure }
                break reading
            case .member, nil: continue
            }
        }
        return buffer.withFilled { text in
            guard text.count == most, let end = text.lastIndex(of: UInt8(ascii: "\n")) else { return Array(text) }
            return format?.framing.uncut(Array(text[...end])) ?? Array(text[...end])
        }
    }
}
