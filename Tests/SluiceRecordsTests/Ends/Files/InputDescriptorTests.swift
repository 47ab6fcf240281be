import Foundation
import Testing

@testable import SluiceRecords

@Suite("Files that change while they are read")
struct InputDescriptorTests {
    /// Reads some of a file of a million bytes, changes it, and reads the rest.
    private func rest(after change: (FileHandle) throws -> Void) throws -> (bytes: UInt64, failure: Int32?) {
        let path = NSTemporaryDirectory() + "sluice-input-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(repeating: 7, count: 1_000_000).write(to: URL(filePath: path))
        let descriptor = try InputDescriptor(InputFile(path: path))
        let window = InputWindow(chunk: 1000) { descriptor.read(into: $0) }
        #expect(window.fill())
        let file = try FileHandle(forUpdating: URL(filePath: path))
        try change(file)
        while window.fill() { window.advance(by: window.available.count) }
        return (window.position, window.failure)
    }

    @Test("one that was shortened fails where it ends now, even if that was passed")
    func shortened() throws {
        #expect(try rest { try $0.truncate(atOffset: 600_000) } == (600_000, ESTALE))
        #expect(try rest { try $0.truncate(atOffset: 10) } == (1000, ESTALE))
    }

    @Test("one that is appended to, or stays as it is, is read to its end")
    func appended() throws {
        let appended = try rest { file in
            try file.seekToEnd()
            try file.write(contentsOf: Data(repeating: 8, count: 5))
        }
        #expect(appended == (1_000_005, nil))
        #expect(try rest { _ in } == (1_000_000, nil))
    }
}
