import Sluice
import Synchronization
import WorkerPools

/// The Swift code of README.md, compiled and run; `ReadmeTests` checks that the two are the same.
struct ReadmeExample {
    let names = ["small", "large", "missing"]
    let store = Store()
    let totals = Collected<Int>()
    let lost = Collected<String>()

    func run() async throws -> String {
        let report = try await Pipeline.reading(from: names)
            .map("fetch", concurrency: 16, timeout: .seconds(5), retry: RetryPolicy(times: 3)) { try await store.fetch($0) }
            .filter("big") { $0.utf8.count > 1000 }
            .map("count", concurrency: .exactly(4)) { text in text.split(separator: "\n").count }
            .deadLetters { letter in lost.add("\(letter.element): \(letter.error)") }
            .forEach { lines in totals.add(lines) }
            .run()
        return "\(report.read) read, \(report.written) written, \(report.filtered) left out, \(report.dead) lost"
    }

    struct Store: Sendable {
        struct Missing: Error {}

        func fetch(_ name: String) async throws -> String {
            switch name {
            case "small": "a line\n"
            case "large": String(repeating: "a line\n", count: 1000)
            default: throw Missing()
            }
        }
    }

    final class Collected<Element: Sendable>: Sendable {
        private let elements = Mutex<[Element]>([])

        var all: [Element] { elements.withLock { $0 } }
        func add(_ element: Element) { elements.withLock { $0.append(element) } }
    }
}
