import Synchronization
import Testing
import WorkerPools

@testable import Sluice

@Suite("Pipelines")
struct PipelineTests {
    @Test("a hundred thousand elements go through three stages, each counted in every one")
    func many() async throws {
        let sum = Atomic(0)
        let report = try await Pipeline.reading(from: 1...100_000)
            .map("double", concurrency: 4) { $0 * 2 }
            .filter("thirds", concurrency: 2) { $0 % 3 == 0 }
            .map("half", concurrency: 8) { $0 / 2 }
            .forEach { sum.add($0, ordering: .relaxed) }
            .run()
        #expect(sum.load(ordering: .relaxed) == 1_666_683_333)
        #expect(
            report.stages.map(\.counts) == [
                StageCounts(in: 100_000, out: 100_000),
                StageCounts(in: 100_000, out: 33_333, filtered: 66_667),
                StageCounts(in: 33_333, out: 33_333),
            ])
        #expect(report.status == .complete && report.balanced)
    }

    @Test("no stage runs more jobs at once than its concurrency, and each gets that far", arguments: [1, 2, 7])
    func concurrency(limit: Int) async throws {
        let inside = Gauge()
        let all = TestGate()
        let report = try await Pipeline.reading(from: 0..<300)
            .map("gauged", concurrency: .exactly(limit)) { number in
                inside.enter()
                defer { inside.leave() }
                if inside.peak == limit { all.open() }
                await all.wait()
                return number
            }
            .run()
        #expect(inside.peak == limit)
        #expect(report.written == 300)
        #expect(report.stages.first?.workers == Report.Workers(min: limit, max: limit, now: limit, peak: limit))
    }

    @Test("one element becomes several and several one, and the ledger says so")
    func batches() async throws {
        let written = Log<[Int]>()
        let report = try await Pipeline.reading(from: 1...5)
            .flatMap("copies", concurrency: 3) { 0..<($0 - 1) }
            .batched(4)
            .forEach { written.add($0) }
            .run()
        #expect(written.all == [[0, 0, 1, 0], [1, 2, 0, 1], [2, 3]])
        #expect(
            report.stages.map(\.counts) == [
                StageCounts(in: 5, out: 10, filtered: 1, added: 6),
                StageCounts(in: 10, out: 3, absorbed: 7),
            ])
        #expect(report.balanced && report.written == 3)
    }

    /// One to a hundred, noting how far it was walked.
    private struct Walked: Sequence, Sendable {
        let steps: Log<Int>

        func makeIterator() -> AnyIterator<Int> {
            var numbers = (1...100).makeIterator()
            return AnyIterator {
                let number = numbers.next()
                if let number { steps.add(number) }
                return number
            }
        }
    }

    @Test("the sequence of a flatMap is walked only as there is room")
    func lazySequence() async throws {
        let steps = Log<Int>()
        let report = try await Pipeline.reading(from: 1...1)
            .flatMap { _ in Walked(steps: steps) }
            .map { $0 }
            .window(elements: 5)
            .forEach { number in #expect(steps.all.count <= number + 5) }
            .run()
        #expect(report.written == 100 && report.balanced)
    }

    @Test("the window's limit of weight holds back the reader until elements have become lighter")
    func weight() async throws {
        let heavy = Gauge()
        let report = try await Pipeline.reading(from: 0..<200)
            .weighing { _ in
                heavy.enter()
                return 10
            }
            .map("lighten", concurrency: 4) { $0 }
            .weighing { _ in
                heavy.leave()
                return 0
            }
            .window(weight: 35)
            .run()
        // 30 is less than 35, so a fourth element is read.
        #expect(heavy.peak <= 4)
        #expect(report.written == 200 && report.balanced)
    }

    @Test("later parts run far ahead where their results weigh little, and wait where they weigh much")
    func readAhead() async throws {
        let first = TestGate()
        let slow = Part<Int> {
            var isRead = false
            return {
                if isRead { return nil }
                isRead = true
                return 0
            }
        }
        let quick = Part<Int> {
            var numbers = (1...500).makeIterator()
            return { numbers.next() }
        }
        let written = Log<Int>()
        let report = try await Pipeline.reading(parts: [slow, quick], concurrency: 2)
            .weighing { _ in 100 }
            .map("work", concurrency: 3) { number in
                if number == 0 { await first.wait() }
                if number == 500 { first.open() }
                return number
            }
            .weighing { _ in 1 }
            .window(elements: 10_000, weight: 1_000)
            .forEach { written.add($0) }
            .run()
        // It came to its end at all: all 500 results waited for the first part, in a window for
        // ten unread ones.
        #expect(written.all == Array(0...500))
        #expect(report.balanced)
    }

    @Test("closures, sinks and reading run on the executor")
    func executor() async throws {
        let executor = ThreadExecutor(threads: 2, name: "own")
        let elsewhere = Log<String>()
        let note: @Sendable (String) -> Void = { place in
            let isOwn = withUnsafeCurrentTask { $0?.unownedTaskExecutor == executor.asUnownedTaskExecutor() }
            if !isOwn { elsewhere.add(place) }
        }
        let part = Part<Int> {
            note("open")
            var numbers = (0..<50).makeIterator()
            return {
                note("next")
                return numbers.next()
            }
        }
        try await Pipeline.reading(parts: [part])
            .map("stage", concurrency: 2) { number in
                note("stage")
                return number
            }
            .map("timed", concurrency: 2, timeout: .seconds(1_000)) { number in
                note("timed")
                return number
            }
            .running(on: executor)
            .forEach { _ in note("sink") }
            .run()
        #expect(elsewhere.all.isEmpty)
    }

    @Test("a snapshot shows the run as it goes, and afterwards the report")
    func snapshot() async throws {
        let control = RunControl()
        #expect(control.snapshot.read == 0)
        let seen = Log<Report>()
        try await Pipeline.reading(from: 0..<10)
            .map("same") { $0 }
            .forEach { if $0 == 5 { seen.add(control.snapshot) } }
            .run(control)
        let middle = try #require(seen.all.first)
        #expect(middle.status == .running)
        #expect(middle.written == 5 && middle.read >= 6 && middle.stages.map(\.name) == ["same"])
        #expect(control.snapshot.status == .complete && control.snapshot.written == 10)
    }

    @Test("a pipeline is a value that can be run again")
    func again() async throws {
        let pipeline = Pipeline.reading(from: 0..<10).map("double") { $0 * 2 }
        async let first = pipeline.run()
        async let second = pipeline.filter("big") { $0 > 10 }.run()
        let (whole, part) = try await (first, second)
        #expect(whole.written == 10 && part.written == 4 && part.filtered == 6)
    }

    @Test("an asynchronous sequence is read as there is room")
    func asyncSequence() async throws {
        let stream = AsyncStream { continuation in
            for number in 0..<20 { continuation.yield(number) }
            continuation.finish()
        }
        let written = Log<Int>()
        let report = try await Pipeline.reading(from: stream).map { $0 }.forEach { written.add($0) }.run()
        #expect(written.all == Array(0..<20))
        #expect(report.status == .complete && report.parts == [Report.Part(read: 20, ended: true)])
    }

    @Test("an actor can be a sink")
    func actorSink() async throws {
        actor Total: Sink {
            private(set) var sum = 0
            func write(_ element: Int) { sum += element }
        }
        let total = Total()
        try await Pipeline.reading(from: 1...100).map { $0 }.writing(to: total).run()
        #expect(await total.sum == 5_050)
    }

    @Test("a sink in the midst writes what has come so far and passes it on")
    func sinkInTheMidst() async throws {
        let log = Log<String>()
        try await Pipeline.reading(from: 1...3)
            .forEach { log.add("before \($0)") }
            .map("double", concurrency: 2) { $0 * 2 }
            .forEach { log.add("after \($0)") }
            .run()
        #expect(log.all.filter { $0.hasPrefix("before") } == ["before 1", "before 2", "before 3"])
        #expect(log.all.filter { $0.hasPrefix("after") } == ["after 2", "after 4", "after 6"])
    }

    @Test("the report reads as a table")
    func table() async throws {
        var report = try await Pipeline.reading(from: 0..<4).filter("even") { $0 % 2 == 0 }.run()
        report.elapsed = .seconds(1)
        #expect(
            report.description == """
                complete: read 4, written 2, dead 0, in 1.0 seconds
                  even: in 4, out 2, filtered 2
                """)
        report.stages[0].counts.out = 1
        #expect(!report.balanced)
        #expect(report.description.hasSuffix("the ledger does not balance"))
    }
}
