import Testing

@testable import Sluice

@Suite("A stage that has enough, and elements at the end")
struct EnoughTests {
    @Test("ends the run well after the element that was enough", arguments: [1, 8])
    func prefix(concurrency: Int) async throws {
        let written = Log<Int>()
        let report = try await Pipeline.reading(from: 0..<100_000)
            .map("double", concurrency: .exactly(concurrency)) { $0 * 2 }
            .prefix(10)
            .map("same", concurrency: .exactly(concurrency)) { $0 }
            .forEach { written.add($0) }
            .run()
        #expect(written.all == Array(stride(from: 0, to: 20, by: 2)))
        #expect(report.status == .complete && report.hadEnough && report.balanced)
        #expect(report.stages[1].counts == StageCounts(in: 10, out: 10))
        #expect(report.parts == [Report.Part(read: report.read, ended: false)])
        #expect(report.read < 100_000)
    }

    @Test("is no different where the source ends with that element")
    func exact() async throws {
        let written = Log<Int>()
        let report = try await Pipeline.reading(from: 0..<3).prefix(3).forEach { written.add($0) }.run()
        #expect(written.all == [0, 1, 2])
        #expect(report.status == .complete && report.balanced)
    }

    @Test("knows of no failure after it", arguments: [1, 4])
    func failureAfter(concurrency: Int) async throws {
        let report = try await Pipeline.reading(from: 0..<50)
            .map("fail", concurrency: .exactly(concurrency), onError: .stop) { number in
                if number >= 5 { throw Odd(number: number) }
                return number
            }
            .prefix(5)
            .run()
        #expect(report.status == .complete && report.written == 5)
    }

    @Test("does not hide a failure before it")
    func failureBefore() async throws {
        let failure = await #expect(throws: PipelineFailure.self) {
            try await Pipeline.reading(from: 0..<50)
                .map("fail", concurrency: 4, onError: .stop) { number in
                    if number == 3 { throw Odd(number: number) }
                    return number
                }
                .prefix(5)
                .run()
        }
        guard case .stage("fail", Place(part: 0, index: 3), attempts: 1, _)? = failure?.reason else {
            Issue.record("not the stage: \(String(describing: failure))")
            return
        }
    }

    @Test("writes no dead letter of what was read ahead")
    func deadLetters() async throws {
        let log = Log<Int>()
        let report = try await Pipeline.reading(from: 0..<1000)
            .map("odd", concurrency: 8) { try FailureTests.odd($0) }
            .prefix(3)
            .deadLetters { log.add($0.place.index) }
            .run()
        #expect(log.all == [1, 3])
        #expect(report.written == 3)
    }

    @Test("what is appended comes after everything else, and is added in the books", arguments: [1, 6])
    func appending(concurrency: Int) async throws {
        let seen = Log<Int>()
        let written = Log<Int>()
        let sums = Log<Int>()
        let report = try await Pipeline.reading(from: 1...100)
            .map("see", concurrency: .exactly(concurrency)) { number in
                seen.add(number)
                return number
            }
            .appending("sum") {
                guard sums.all.isEmpty else { return nil }
                sums.add(0)
                return seen.all.reduce(0, +)
            }
            .map("same", concurrency: .exactly(concurrency)) { $0 }
            .forEach { written.add($0) }
            .run()
        #expect(written.all == Array(1...100) + [5050])
        #expect(report.status == .complete && report.balanced)
        #expect(report.stages[1].counts == StageCounts(in: 100, out: 101, added: 1))
    }

    @Test("what is appended after a stage that had enough is still given")
    func appendingAfterEnough() async throws {
        let given = Log<Int>()
        let written = Log<Int>()
        try await Pipeline.reading(from: 0..<10_000)
            .prefix(2)
            .appending {
                guard given.all.isEmpty else { return nil }
                given.add(0)
                return -1
            }
            .forEach { written.add($0) }
            .run()
        #expect(written.all == [0, 1, -1])
    }

    @Test("nothing is appended to a run that failed")
    func appendingAfterFailure() async throws {
        let given = Log<Int>()
        await #expect(throws: PipelineFailure.self) {
            try await Pipeline.reading(from: 0..<10)
                .map("fail", onError: .stop) { try FailureTests.odd($0) }
                .appending {
                    given.add(0)
                    return nil
                }
                .run()
        }
        #expect(given.all == [])
    }
}

@Suite("Books")
struct BooksTests {
    @Test("of parts of a run add up to those of the whole")
    func merge() {
        var first = Books(stages: ["source", "keep"])
        first.add([StageCounts(in: 10, out: 9, dead: 1), StageCounts(in: 9, out: 4, filtered: 5)])
        var second = Books(stages: ["source", "keep"])
        second.add([StageCounts(in: 3, out: 3), StageCounts(in: 3, out: 2, dropped: 1)])
        first.merge(second)
        #expect(first["keep"] == StageCounts(in: 12, out: 6, filtered: 5, dropped: 1))
        #expect(first["none"] == nil)
        #expect(first.total(\.dead) == 1)
        #expect(first.balance(read: 13, written: 6))
    }

    @Test(
        "do not balance where one element is missing or there twice",
        arguments: [
            (StageCounts(in: 5, out: 4), 5, 4), (StageCounts(in: 5, out: 5, added: 1), 5, 5), (StageCounts(in: 4, out: 4), 5, 4),
            (StageCounts(in: 5, out: 5), 5, 6), (StageCounts(in: 5, out: 1, absorbed: 5), 5, 1),
        ])
    func imbalance(counts: StageCounts, read: Int, written: Int) {
        let books = Books([Books.Stage(name: "stage", counts: counts)])
        #expect(!books.balance(read: read, written: written))
    }

    @Test("of a run that stopped early may miss elements, but have none too many")
    func early() {
        let fewer = Books([Books.Stage(name: "stage", counts: StageCounts(in: 4, out: 2))])
        #expect(fewer.balance(read: 5, written: 1, isWhole: false))
        let more = Books([Books.Stage(name: "stage", counts: StageCounts(in: 4, out: 5))])
        #expect(!more.balance(read: 5, written: 5, isWhole: false))
    }
}
