import Foundation
import Testing
import WorkerPools

@Suite struct `The documentation` {
    /// The lines that the catalogue opens with, verbatim.
    private func example() async throws -> Int {
        // begin
        let checked = try await withWorkerPool(.init(name: "links", workers: 1...8)) { pool in
            let statuses = try await pool.map(["a", "b", "c"]) { page in page.count }
            let options = JobOptions(timeout: .seconds(2), retry: RetryPolicy(times: 3))
            let slow = try await pool.submit(options, returning: { try await fetch("d") })
            for page in ["e", "f", "g"] {
                try await pool.submit(priority: .low) { _ = try await fetch(page) }
            }
            return try await statuses.reduce(0, +) + slow.value
        }
        print(checked)
        // end
        return checked
    }

    @Test func `opens with an example that runs`() async throws {
        #expect(try await example() == 4)
    }

    @Test func `opens with exactly the lines that this test runs`() throws {
        let here = URL(filePath: #filePath)
        let page = here.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Sources/WorkerPools/WorkerPools.docc/WorkerPools.md")
        let shown = try lines(of: page, from: "```swift", to: "```")
        let run = try lines(of: here, from: "        // begin", to: "        // end")
        #expect(shown == run.map { String($0.dropFirst(8)) })
        #expect(shown.count <= 10)
    }

    private func lines(of file: URL, from start: String, to end: String) throws -> [String] {
        let all = try String(contentsOf: file, encoding: .utf8).split(separator: "\n", omittingEmptySubsequences: false)
        let first = try #require(all.firstIndex { $0 == start })
        let last = try #require(all[(first + 1)...].firstIndex { $0 == end })
        return all[(first + 1)..<last].map(String.init)
    }
}

private func fetch(_ page: String) async throws -> Int { page.count }
