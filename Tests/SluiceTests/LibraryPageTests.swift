import Foundation
import Logging
import Sluice
import Testing

/// What docs/library.md shows, so that it compiles; the test below holds the two together.
enum LibraryPage {
    // The names that the page takes for granted.
    struct Fingerprint: Sendable {
        init(of file: URL) throws {}
    }

    struct Server: Sendable {
        func has(_ file: Fingerprint) async -> Bool { false }
        func upload(_ file: Fingerprint) async throws -> String { "" }
    }

    static func first(_ files: [URL], _ server: Server) async throws {
        let report = try await Pipeline.reading(from: files)
            .map("hash", concurrency: 4) { try Fingerprint(of: $0) }
            .filter("new") { await !server.has($0) }
            .map("upload", concurrency: 16, timeout: .seconds(5), retry: .times(3)) { try await server.upload($0) }
            .deadLetters { print("\($0.element) was not uploaded: \($0.error)") }
            .forEach { print("uploaded \($0)") }
            .run()
        print(report)
    }

    static func parts(_ files: [URL]) -> [Part<String>] {
        let parts = files.map { file in
            Part<String> {
                var lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").makeIterator()
                return { lines.next().map(String.init) }
            }
        }
        return parts
    }

    static func control(_ pipeline: Pipeline<Int>) async throws {
        let control = RunControl()
        async let report = pipeline.run(control)
        print(control.snapshot)  // the counters, at any time
        control.drain()  // read no more; finish what was read; the report says `interrupted`
        control.cancel()  // cancel the closures; `run()` throws
        _ = try await report
    }

    static func observed(_ pipeline: Pipeline<Int>) async throws -> Report {
        let control = RunControl()
        async let _: Void = control.reportMetrics(of: "upload", every: .seconds(10))  // until the end of the scope
        let report = try await pipeline.logging(to: Logger(label: "upload")).run(control)
        return report
    }
}

@Suite("The library's page")
struct LibraryPageTests {
    @Test("shows only code that compiles here")
    func blocks() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let whole = try String(contentsOf: root.appending(path: "docs/library.md"), encoding: .utf8)
        // What comes after it is about `SluiceRecords`, and compiled by the tests of that.
        let page = try #require(whole.components(separatedBy: "## Archives of records").first)
        let compiled = Set(try String(contentsOf: URL(filePath: #filePath), encoding: .utf8).split(separator: "\n").map(squeezed))
        let blocks = page.components(separatedBy: "```swift\n").dropFirst().compactMap { $0.components(separatedBy: "```").first }
        #expect(blocks.count == 4)
        for line in blocks.flatMap({ $0.split(separator: "\n") }) {
            #expect(compiled.contains(squeezed(line)), "not compiled: \(line)")
        }
    }

    /// Without indentation, and with single spaces.
    private func squeezed(_ line: Substring) -> String { line.split(separator: " ").joined(separator: " ") }

    @Test("shows how to observe a run, which ends without waiting for the next interval")
    func observed() async throws {
        #expect(try await LibraryPage.observed(Pipeline.reading(from: 0..<10)).written == 10)
    }

    @Test("describes what the first block does")
    func first() async throws {
        try await LibraryPage.first([], LibraryPage.Server())
        #expect(LibraryPage.parts([]).isEmpty)
    }
}
