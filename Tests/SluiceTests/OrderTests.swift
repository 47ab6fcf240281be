import Synchronization
import Testing

@testable import Sluice

@Suite("Order of the commits")
struct OrderTests {
    @Test("elements come out as they went in, whatever the concurrency", arguments: [1, 8, 64])
    func inOrder(concurrency: Int) async throws {
        let written = Log<Int>()
        let report = try await Pipeline.reading(from: 0..<2_000)
            .map("square", concurrency: .exactly(concurrency)) { $0 * $0 }
            .map("text", concurrency: 3) { String($0) }
            .forEach { written.add(Int($0) ?? -1) }
            .run()
        #expect(written.all == (0..<2_000).map { $0 * $0 })
        #expect(report.status == .complete)
        #expect(report.balanced)
        #expect(report.read == 2_000 && report.written == 2_000)
    }

    @Test("unordered elements all come out, and a slow one holds up no other")
    func unordered() async throws {
        let gate = TestGate()
        let written = Log<Int>()
        let report = try await Pipeline.reading(from: 0..<100)
            .map("wait", concurrency: 2) { number in
                if number == 0 { await gate.wait() }
                return number
            }
            .unordered()
            .forEach { number in
                written.add(number)
                if written.all.count == 99 { gate.open() }
            }
            .run()
        #expect(written.all.last == 0)
        #expect(Set(written.all) == Set(0..<100))
        #expect(report.balanced)
    }

    @Test("an empty source gives an empty, balanced, complete run")
    func empty() async throws {
        let report = try await Pipeline.reading(from: [Int]()).map { $0 }.run()
        #expect(report.status == .complete && report.balanced && report.read == 0)
        let noParts = try await Pipeline<Int>.reading(parts: []).map { $0 }.run()
        #expect(noParts.status == .complete && noParts.balanced)
        let noStages = try await Pipeline.reading(from: 1...3).run()
        #expect(noStages.written == 3)
    }

    @Test("parts that are read side by side are committed one after the other", arguments: [1, 3, 10])
    func parts(readers: Int) async throws {
        let log = PartLog()
        let parts = (0..<10).map { part in
            Part<Int> {
                var next = part * 100
                return {
                    defer { next += 1 }
                    return next < part * 100 + part * 7 ? next : nil
                }
            }
        }
        let report = try await Pipeline.reading(parts: parts, concurrency: readers)
            .map("same", concurrency: 4) { $0 }
            .writing(to: log)
            .run()
        var expected: [String] = []
        for part in 0..<10 {
            for index in 0..<part * 7 { expected.append("\(part * 100 + index)") }
            expected.append("end \(part)")
        }
        #expect(log.lines.all == expected)
        #expect(report.parts == (0..<10).map { Report.Part(read: $0 * 7, ended: true) })
        #expect(report.balanced)
    }
}

struct PartLog: Sink {
    let lines = Log<String>()
    func write(_ element: Int) async throws { lines.add("\(element)") }
    func partEnded(_ part: Int) async throws { lines.add("end \(part)") }
}
