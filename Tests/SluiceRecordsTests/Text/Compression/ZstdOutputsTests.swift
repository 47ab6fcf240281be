import Testing

@testable import SluiceRecords

@Suite("zstd outputs")
struct ZstdOutputsTests {
    /// - Parameter pause: the number of texts after which the outputs are restored from a
    ///   checkpoint.
    private static func written(
        _ texts: [(String, [UInt8])], level: CompressionLevel = .standard, paths: [String], pause: Int? = nil
    ) throws -> [String: [UInt8]] {
        let sink = MemorySink(PathTemplate(pieces: [.text("a")]))
        let open = sink.open(empty: ZstdOutputs.empty, staging: Staging())
        var outputs = ZstdOutputs(open, level: level)
        for (index, (path, text)) in texts.enumerated() {
            if index == pause {
                let state = outputs.checkpoint
                outputs = ZstdOutputs(open, level: level)
                outputs.restore(state)
            }
            let buffer = ByteBuffer(capacity: max(1, text.count))
            text.withUnsafeBufferPointer { buffer.append($0) }
            try outputs.append(buffer, records: 1, to: path)
        }
        try outputs.end()
        try open.prepare()
        _ = try open.publish()
        return Dictionary(uniqueKeysWithValues: paths.map { ($0, sink[$0] ?? []) })
    }

    @Test("decompress to the original text, in frames of about 1 MiB", arguments: ["fast", "default", "best", "0", "5"])
    func whole(level: String) throws {
        let parts = (0..<40).map { FrameSample.lines($0 * 2000..<$0 * 2000 + 2000) }
        let bytes = try Self.written(parts.map { ("a", $0) }, level: try #require(CompressionLevel(level)), paths: ["a"])["a"] ?? []
        let read = try FrameSample.zstd.read(bytes)
        #expect(read.records.flatMap { $0.bytes + [0x0A] } == parts.flatMap { $0 })
        #expect(read.damage == [])
        #expect(read.summary.members == 2)
    }

    @Test("without text consist of an empty frame")
    func empty() throws {
        #expect(try FrameSample.zstd.read(ZstdOutputs.empty).damage == [])
        #expect(try FrameSample.zstd.read(ZstdOutputs.empty).summary.members == 1)
    }

    @Test("are the same every time, and when continued from a checkpoint")
    func same() throws {
        let paths = (0..<30).map { "p\($0)" }
        let texts = (0..<3).flatMap { round in paths.enumerated().map { ($0.element, FrameSample.lines($0.offset * 3..<$0.offset * 3 + 400 + round)) } }
        let first = try Self.written(texts, paths: paths)
        for pause in [nil, 1, 31, 89] { #expect(try Self.written(texts, paths: paths, pause: pause) == first) }
        for path in paths {
            let read = try FrameSample.zstd.read(first[path] ?? [])
            #expect(read.records.flatMap { $0.bytes + [0x0A] } == texts.filter { $0.0 == path }.flatMap(\.1))
            #expect(read.damage == [])
        }
    }

    @Test("levels are mapped to those of zstd")
    func levels() {
        #expect(CompressionLevel.fast.zstd == 1 && CompressionLevel.standard.zstd == 3 && CompressionLevel.best.zstd == 9)
        #expect(CompressionLevel("0")?.zstd == 1 && CompressionLevel("7")?.zstd == 7)
    }
}
