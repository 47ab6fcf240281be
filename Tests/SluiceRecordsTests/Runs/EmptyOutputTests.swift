import Foundation
import SluiceCEL
import Testing

@testable import SluiceRecords

@Suite("Outputs without records")
struct EmptyOutputTests {
    /// Writes what an output without records contains.
    private func output(_ columns: [String]?, from format: any Format = Lines(), text: String = "") async throws -> String {
        let folder = NSTemporaryDirectory() + "sluice-empty-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(filePath: folder + "/in"))
        let sink = FileSink(PathTemplate(pieces: [.text(folder + "/out")]))
        let pipeline = RecordPipeline(
            name: "empty", definition: "sha256:0", source: SourceSettings(FileSource([InputFile(path: folder + "/in")]), format: format),
            stages: [], sink: SinkSettings(sink, format: Headed(), columns: columns), deadLetters: folder + "/dead.jsonl")
        let report = try await RecordRun(pipeline, options: RunOptions(workers: 2, state: folder + "/state")).run()
        #expect(report.status == .complete)
        return try String(contentsOfFile: folder + "/out", encoding: .utf8)
    }

    @Test("has the header of its format, once")
    func head() async throws {
        #expect(try await output(nil) == "line\n")
        #expect(try await output(["a", "b"]) == "a,b\n")
        #expect(try await output(nil, text: "x\ny\n") == "line\n1\n1\n")
    }

    @Test("has none if it depends on the header of an input")
    func unknown() async throws {
        #expect(try await output(nil, from: HeadedLines()) == "")
        #expect(try await output(["a"], from: HeadedLines()) == "a\n")
    }
}

/// Writes a header of the column names, and `1` for each record.
private struct Headed: WritableFormat {
    static let declaration = Declaration("headed", "for tests", argument: .keys([]), example: "")
    static let fileExtensions: [String] = []
    var framing: Framing { .lines }
    var schema: Schema { .open }

    init() {}
    init?(_ options: Arguments?, _ checking: inout Checking) {}

    func makeDecoder(columns: [String], spans: Bool) -> any RecordDecoder { LinesDecoder(columns: columns) }

    func makeWriter(for fields: RecordFields, columns: [String]?) -> any RecordWriter {
        Writer(head: Array((columns ?? fields.shape.written.map(\.key)).joined(separator: ",").utf8) + [0x0A])
    }

    struct Writer: RecordWriter {
        let head: [UInt8]

        func write(_ row: Int, of batch: RecordBatch, to buffer: ByteBuffer) { buffer.append("1\n") }
    }
}

/// Lines whose first would be a header.
private struct HeadedLines: HeadedFormat {
    static let declaration = Declaration("headed-lines", "for tests", argument: .keys([]), example: "")
    var needsHead: Bool { true }
    var framing: Framing { .lines }
    var schema: Schema { .open }

    init() {}
    init?(_ options: Arguments?, _ checking: inout Checking) {}

    func completed(by head: FileHead) -> any Format { self }
    func makeDecoder(columns: [String], spans: Bool) -> any RecordDecoder { LinesDecoder(columns: columns) }
}
