import Glibc
import SluiceRecords

/// A file in memory, cut into batches of lines.
struct TextBatches {
    struct Batch {
        let start: Int
        let frames: [Frame]
    }

    let bytes: ByteBuffer
    let batches: [Batch]

    init(path: String) throws {
        guard let file = fopen(path, "r") else { throw Problem(path: path, number: errno) }
        defer { fclose(file) }
        fseek(file, 0, SEEK_END)
        let bytes = ByteBuffer(capacity: ftell(file))
        rewind(file)
        bytes.count = fread(bytes.start, 1, bytes.capacity, file)

        var batches: [Batch] = []
        var frames: [Frame] = []
        var batchStart = 0
        var line = 0
        while line < bytes.count {
            let end = memchr(bytes.start + line, 0x0A, bytes.count - line).map { UnsafeRawPointer($0) - UnsafeRawPointer(bytes.start) } ?? bytes.count
            if end - batchStart > SluiceRecords.Batch.targetBytes, !frames.isEmpty {
                batches.append(Batch(start: batchStart, frames: frames))
                frames = []
                batchStart = line
            }
            frames.append(Frame(start: UInt32(line - batchStart), count: UInt32(end - line), lineDelta: UInt32(frames.count)))
            line = end + 1
        }
        batches.append(Batch(start: batchStart, frames: frames))
        self.batches = batches
        self.bytes = bytes
    }

    struct Problem: Error, CustomStringConvertible {
        var path: String
        var number: Int32

        var description: String { "\(path): \(String(cString: strerror(number)))" }
    }
}
