import Foundation
import Testing

@testable import SluiceRecords

@Suite("Piped input")
struct PipedInputTests {
    @Test("a named pipe is read to its end, plain and gzip", arguments: [true, false])
    func pipe(isPacked: Bool) async throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("sluice-\(UUID().uuidString)").path
        #expect(mkfifo(path, 0o600) == 0)
        defer { unlink(path) }
        let text = Array(GzipSamples.text(0..<20_000).utf8)
        let bytes = isPacked ? GzipSamples.member(text) : text
        let writer = Thread {
            let descriptor = open(path, O_WRONLY)
            bytes.withUnsafeBufferPointer { _ = writeAll($0, to: descriptor) }
            close(descriptor)
        }
        writer.start()
        let buffers = BufferPool(capacity: Batch.targetBytes, most: 2)
        let file = try #require(InputFiles.expand([path]).first)
        #expect(file.size == nil)
        let reader = try BatchReader(file, index: 0, configuration: .init(spillFolder: "/nowhere"), buffers: buffers)
        var count = 0
        while let batch = try reader.next() { count += batch.frames.count }
        #expect(count == 20_000)
        #expect(reader.summary.bytes == UInt64(bytes.count))
        #expect(reader.summary.damage == [])
    }

    @Test("a folder and a missing file cannot be opened")
    func unreadable() {
        let buffers = BufferPool(capacity: 64, most: 1)
        #expect(throws: InputError.folder(path: "/tmp")) {
            try BatchReader(InputFile(path: "/tmp"), index: 0, configuration: .init(spillFolder: "/nowhere"), buffers: buffers)
        }
        #expect(throws: InputError.missing(path: "/nowhere")) {
            try BatchReader(InputFile(path: "/nowhere"), index: 0, configuration: .init(spillFolder: "/nowhere"), buffers: buffers)
        }
    }
}
