import Testing

@testable import Sluice

struct Odd: Error, Equatable {
    let number: Int
}

@Suite("Failures")
struct FailureTests {
    static func odd(_ number: Int) throws -> Int {
        if number % 2 == 1 { throw Odd(number: number) }
        return number
    }

    @Test("dead letters come in the source's order among what is written, whatever the concurrency", arguments: [1, 8])
    func deadLetters(concurrency: Int) async throws {
        let log = Log<String>()
        let report = try await Pipeline.reading(from: 0..<200)
            .map("first", concurrency: .exactly(concurrency)) { try Self.odd($0 / 2) * 2 + $0 % 2 }
            .map("second", concurrency: .exactly(concurrency)) { try Self.odd($0) }
            .deadLetters { log.add("\($0.stage) \($0.element) \($0.place.index) \($0.error as? Odd == nil) \($0.attempts)") }
            .forEach { log.add("\($0)") }
            .run()
        let expected = (0..<200).map { number in
            if number / 2 % 2 == 1 { return "first \(number) \(number) false 1" }
            return number % 2 == 1 ? "second \(number) \(number) false 1" : "\(number)"
        }
        #expect(log.all == expected)
        #expect(report.status == .losses && report.balanced)
        #expect(report.dead == 150 && report.deadLetters == 150 && report.written == 50)
    }

    @Test("a stage that drops counts what it drops")
    func drop() async throws {
        let failures = Log<Int>()
        let report = try await Pipeline.reading(from: 0..<10)
            .map("odd", concurrency: 2, onError: .drop) { try Self.odd($0) }
            .onFailure { failures.add($0.place.index) }
            .run()
        #expect(report.dropped == 5 && report.written == 5 && report.dead == 0)
        #expect(report.status == .losses && report.balanced)
        #expect(failures.all.sorted() == [1, 3, 5, 7, 9])
    }

    @Test("a stage that stops has everything before the failure written, and nothing after", arguments: [1, 2, 64])
    func stop(concurrency: Int) async throws {
        let written = Log<Int>()
        let failure = await #expect(throws: PipelineFailure.self) {
            try await Pipeline.reading(from: 0..<1_000)
                .map("even", concurrency: .exactly(concurrency)) { number in
                    if number == 501 || number == 300 { throw Odd(number: number) }
                    return number
                }
                .forEach { written.add($0) }
                .run()
        }
        #expect(written.all == Array(0..<300))
        guard case .stage("even", Place(part: 0, index: 300), attempts: 1, let error)? = failure?.reason else {
            Issue.record("not the first failure: \(String(describing: failure))")
            return
        }
        #expect(error as? Odd == Odd(number: 300))
        #expect(failure?.report.balanced == true)
        #expect(failure?.report.written == 300)
    }

    @Test("a source that throws has everything before written")
    func source() async throws {
        let written = Log<Int>()
        let part = Part<Int> {
            var next = 0
            return {
                if next == 77 { throw Odd(number: next) }
                defer { next += 1 }
                return next
            }
        }
        let failure = await #expect(throws: PipelineFailure.self) {
            try await Pipeline.reading(parts: [part]).map("same", concurrency: 4) { $0 }.forEach { written.add($0) }.run()
        }
        #expect(written.all == Array(0..<77))
        guard case .source(Place(part: 0, index: 77), _)? = failure?.reason else {
            Issue.record("not the source: \(String(describing: failure))")
            return
        }
        #expect(failure?.report.status == .failed)
    }

    @Test("a sink that throws is not called again, and the run ends")
    func sink() async throws {
        let written = Log<Int>()
        let failure = await #expect(throws: PipelineFailure.self) {
            try await Pipeline.reading(from: 0..<100_000).map("same", concurrency: 4) { $0 }
                .forEach { number in
                    written.add(number)
                    if number == 50 { throw Odd(number: number) }
                }
                .run()
        }
        #expect(written.all == Array(0...50))
        guard case .sink? = failure?.reason else {
            Issue.record("not the sink: \(String(describing: failure))")
            return
        }
    }

    @Test("a sink of dead letters that throws stops the run")
    func deadLetterSink() async throws {
        let failure = await #expect(throws: PipelineFailure.self) {
            try await Pipeline.reading(from: 0..<100).map { try Self.odd($0) }
                .deadLetters { throw Odd(number: $0.place.index) }
                .run()
        }
        guard case .deadLetters(let error)? = failure?.reason else {
            Issue.record("not the dead letters: \(String(describing: failure))")
            return
        }
        #expect(error as? Odd == Odd(number: 1))
    }

    @Test("dead letters keep their place through batches and back")
    func throughSegments() async throws {
        let log = Log<String>()
        let report = try await Pipeline.reading(from: 0..<20)
            .map("odd", concurrency: 4) { (number: Int) in if number % 7 == 3 { throw Odd(number: number) } else { number } }
            .batched(4)
            .map("sum", concurrency: 2) { $0 }
            .unbatched()
            .map("late") { (number: Int) in if number == 8 { throw Odd(number: number) } else { number } }
            .deadLetters { log.add("dead \($0.element)") }
            .forEach { log.add("\($0)") }
            .run()
        // A letter overtakes the batch that is being gathered when it comes.
        #expect(
            log.all == [
                "dead 3", "0", "1", "2", "4", "5", "6", "7", "dead 8", "dead 10", "9", "11", "12", "13", "dead 17", "14",
                "15", "16", "18", "19",
            ])
        #expect(report.balanced && report.written == 16 && report.dead == 4)
        #expect(report.absorbed == report.added)
    }
}
