import Testing

@testable import Sluice

@Suite("Stages in order")
struct InOrderTests {
    @Test("state goes from each element to the next in the source's order, and begins anew with every run")
    func state() async throws {
        let pipeline = Pipeline.reading(from: [3, 1, 3, 2, 1, 3])
            .map("same", concurrency: 4) { $0 }
            .inOrder("dedupe", state: Set<Int>()) { seen, number in seen.insert(number).inserted ? number : nil }
            .inOrder("total", state: 0) { total, number in
                total += number
                return total
            }
        for _ in 0..<2 {
            let written = Log<Int>()
            let report = try await pipeline.map("after") { $0 }.forEach { written.add($0) }.run()
            #expect(written.all == [3, 4, 6])
            #expect(
                report.stages.map(\.counts) == [
                    StageCounts(in: 6, out: 6), StageCounts(in: 6, out: 3, filtered: 3), StageCounts(in: 3, out: 3),
                    StageCounts(in: 3, out: 3),
                ])
            #expect(report.balanced)
        }
    }

    @Test("what fails goes where its policy says", arguments: [FailurePolicy.deadLetter, .drop])
    func failures(policy: FailurePolicy) async throws {
        let log = Log<String>()
        let report = try await Pipeline.reading(from: 0..<6)
            .inOrder("even", state: 0, onError: policy) { (_: inout Int, number) in try FailureTests.odd(number) }
            .deadLetters { log.add("dead \($0.element) at \($0.place.index)") }
            .forEach { log.add("\($0)") }
            .run()
        let dead = policy == .deadLetter ? 3 : 0
        #expect(report.dead == dead && report.dropped == 3 - dead && report.balanced)
        #expect(log.all.count == 3 + dead)
        #expect(dead == 0 || log.all[1] == "dead 1 at 1")
    }

    @Test("a stage that stops has everything before the failure written")
    func stop() async throws {
        let written = Log<Int>()
        let failure = await #expect(throws: PipelineFailure.self) {
            try await Pipeline.reading(from: 0..<100)
                .inOrder("stop", state: 0) { (_: inout Int, number) in
                    if number == 40 { throw Odd(number: number) }
                    return number
                }
                .map("same", concurrency: 3) { $0 }
                .forEach { written.add($0) }
                .run()
        }
        #expect(written.all == Array(0..<40))
        guard case .stage("stop", Place(part: 0, index: 40), attempts: 1, _)? = failure?.reason else {
            Issue.record("not the stage: \(String(describing: failure))")
            return
        }
        #expect(failure?.report.balanced == true)
    }

    @Test("a stage that has enough ends the run well, and later elements are nothing to it", arguments: [1, 4])
    func enough(concurrency: Int) async throws {
        let log = Log<String>()
        let report = try await Pipeline.reading(from: 0...)
            .map("odd", concurrency: Concurrency.exactly(concurrency)) { number in
                if number % 3 == 0 { throw Odd(number: number) }
                return number
            }
            .prefix(5)
            .map("same") { $0 }
            .deadLetters { log.add("dead \($0.element)") }
            .forEach { log.add("\($0)") }
            .run()
        #expect(log.all == ["dead 0", "1", "2", "dead 3", "4", "5", "dead 6", "7"])
        #expect(report.hadEnough && report.balanced && report.written == 5)
        #expect(report.enough == Place(part: 0, index: 7))
    }

    @Test("a failure of a later part does not keep a stage from having enough", arguments: [1, 2])
    func failureAhead(readers: Int) async throws {
        let failed = TestGate()
        let parts = [
            Part<Int> {
                var next = 0
                return {
                    if next == 10, readers > 1 { await failed.wait() }
                    next += 1
                    return next
                }
            },
            Part<Int> {
                failed.open()
                throw Odd(number: 1)
            },
        ]
        let written = Log<Int>()
        let report = try await Pipeline.reading(parts: parts, concurrency: readers).prefix(100).forEach { written.add($0) }.run()
        #expect(written.all == Array(1...100))
        #expect(report.hadEnough && report.balanced)
    }

    @Test("a failure of a later part ends a run whose stage never has enough")
    func failureAfterAll() async throws {
        let parts = [
            Part<Int> {
                var next = 0
                return {
                    next += 1
                    return next > 50 ? nil : next
                }
            },
            Part<Int> { throw Odd(number: 1) },
        ]
        let written = Log<Int>()
        let appended = Log<Int>()
        let failure = await #expect(throws: PipelineFailure.self) {
            try await Pipeline.reading(parts: parts, concurrency: 2)
                .prefix(100)
                .appending {
                    appended.add(0)
                    return nil
                }
                .map("same") { $0 }
                .forEach { written.add($0) }
                .run()
        }
        #expect(written.all == Array(1...50))
        #expect(failure?.report.balanced == true)
        #expect(appended.all.isEmpty)
    }

    @Test("what is appended comes after all else, also where a stage before had enough")
    func appending() async throws {
        let written = Log<Int>()
        let rest = Log<Int>()
        let report = try await Pipeline.reading(from: 0...)
            .prefix(3)
            .map("gather") { number in
                rest.add(number * 10)
                return number
            }
            .appending {
                rest.all.count < 6
                    ? {
                        rest.add(0); return rest.all.count
                    }() : nil
            }
            .forEach { written.add($0) }
            .run()
        #expect(written.all == [0, 1, 2, 4, 5, 6])
        #expect(report.balanced && report.added == 3)
    }
}
