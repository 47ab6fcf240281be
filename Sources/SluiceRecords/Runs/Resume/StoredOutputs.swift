import FoundationEssentials

// What checkpoints and journals say of each output. There may be tens of thousands of them, so it
// is no JSON.

extension SinkMark: Codable {
    package func encode(to encoder: any Encoder) throws {
        var writer = StateWriter(capacity: outputs.count * 128)
        writer.write(outputs.count)
        for output in outputs {
            writer.write(output.path)
            writer.write(output.bytes)
            writer.write(output.records)
            writer.write(output.sha256 ?? "")
        }
        try StoredBytes(Data(writer.bytes)).encode(to: encoder)
    }

    package init(from decoder: any Decoder) throws {
        var reader = StateReader(try StoredBytes(from: decoder).withBytes(Array.init))
        outputs = []
        let count = try reader.count()
        for _ in 0..<count {
            let (path, bytes, records, sha256) = (try reader.string(), try reader.number(), try reader.integer(), try reader.string())
            outputs.append(Output(path: path, bytes: bytes, records: records, sha256: sha256.isEmpty ? nil : sha256))
        }
        guard reader.isAtEnd else { throw CheckpointError("bytes after the outputs") }
    }
}

extension GzipCheckpoint: Codable {
    private enum CodingKeys: CodingKey {
        case state, texts
    }

    func encode(to encoder: any Encoder) throws {
        var writer = StateWriter(capacity: (files.count + pending.count) * 64)
        writer.write(files.count)
        for file in files {
            writer.write(file.path)
            writer.write(file.length)
            writer.write(UInt64(file.crc))
            writer.write(file.textBytes)
        }
        writer.write(pending.count)
        for text in pending {
            writer.write(text.path)
            writer.write(text.text.count)
        }
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(StoredBytes(Data(writer.bytes)), forKey: .state)
        try container.encode(StoredBytes(pending.map(\.text)), forKey: .texts)
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        var reader = StateReader(try container.decode(StoredBytes.self, forKey: .state).withBytes(Array.init))
        var texts = try container.decode(StoredBytes.self, forKey: .texts).withBytes { Data($0) }
        files = []
        let count = try reader.count()
        for _ in 0..<count {
            let (path, length, crc) = (try reader.string(), try reader.number(), try reader.number())
            guard let crc = UInt32(exactly: crc) else { throw CheckpointError("a checksum is too large") }
            files.append(File(path: path, length: length, crc: crc, textBytes: try reader.number()))
        }
        pending = []
        let waiting = try reader.count()
        for _ in 0..<waiting {
            let (path, count) = (try reader.string(), try reader.integer())
            guard count <= texts.count else { throw CheckpointError("text is missing") }
            pending.append(Text(path: path, text: StoredBytes(Data(texts.prefix(count)))))
            texts = texts.dropFirst(count)
        }
        guard reader.isAtEnd, texts.isEmpty else { throw CheckpointError("bytes after the outputs") }
    }
}

extension Journal {
    struct Moves: Codable, Sendable {
        var all: [Move]

        init(all: [Move]) { self.all = all }

        func encode(to encoder: any Encoder) throws {
            var writer = StateWriter(capacity: all.count * 128)
            writer.write(all.count)
            for move in all {
                writer.write(move.staged)
                writer.write(move.path)
                writer.write(move.within == nil ? 0 : 1)
                if let within = move.within { writer.write(within) }
            }
            try StoredBytes(Data(writer.bytes)).encode(to: encoder)
        }

        init(from decoder: any Decoder) throws {
            var reader = StateReader(try StoredBytes(from: decoder).withBytes(Array.init))
            all = []
            let count = try reader.count()
            for _ in 0..<count {
                let (staged, path, isWithin) = (try reader.string(), try reader.string(), try reader.number())
                guard isWithin <= 1 else { throw CheckpointError("invalid flag") }
                all.append(Move(staged: staged, path: path, within: isWithin == 1 ? try reader.string() : nil))
            }
            guard reader.isAtEnd else { throw CheckpointError("bytes after the moves") }
        }
    }
}
