import Testing

@testable import Sluice

@Suite("Draining and cancelling")
struct EndingTests {
    @Test("a drain stops reading, and what was read is written")
    func drain() async throws {
        let control = RunControl()
        let written = Log<Int>()
        let report = try await Pipeline.reading(from: 0...)
            .map("same", concurrency: 4) { $0 }
            .forEach { number in
                written.add(number)
                if number == 100 { control.drain() }
            }
            .run(control)
        #expect(report.status == .interrupted && report.balanced)
        #expect(report.open == 0)
        #expect(written.all == Array(0..<report.read))
        #expect(report.read > 100)
    }

    @Test("cancelling the caller's task drains")
    func cancelCaller() async throws {
        let started = TestGate()
        let hold = TestGate()
        let written = Log<Int>()
        let run = Task {
            try await Pipeline.reading(from: 0...)
                .map("hold") { number in
                    started.open()
                    await hold.wait()
                    return number
                }
                .forEach { written.add($0) }
                .run()
        }
        await started.wait()
        run.cancel()
        hold.open()
        let report = try await run.value
        #expect(report.status == .interrupted && report.balanced)
        #expect(written.all == Array(0..<report.read))
    }

    @Test("a drain ends a source that waits for its next element")
    func drainWaitingSource() async throws {
        let (stream, continuation) = AsyncStream.makeStream(of: Int.self)
        let control = RunControl()
        for number in 0..<5 { continuation.yield(number) }
        let report = try await Pipeline.reading(from: stream)
            .map { $0 }
            .forEach { if $0 == 4 { control.drain() } }
            .run(control)
        #expect(report.status == .interrupted && report.written == 5)
        #expect(report.parts == [Report.Part(read: 5, ended: false)])
    }

    @Test("a drain before the run leaves nothing to run; one after it does nothing")
    func drainAround() async throws {
        let control = RunControl()
        control.drain()
        let report = try await Pipeline.reading(from: 0..<10).map { $0 }.run(control)
        #expect(report.status == .interrupted && report.read == 0)
        control.drain()
        control.cancel()
        #expect(control.snapshot.status == .interrupted)
    }

    @Test("a drain gives up what later parts have read ahead, and says so in the ledger")
    func drainParts() async throws {
        let control = RunControl()
        let ahead = TestGate()
        let log = PartLog()
        let slow = Part<Int> {
            var next = 0
            return {
                await ahead.wait()
                next += 1
                return next
            }
        }
        let quick = Part<Int> {
            var next = 1_000
            return {
                next += 1
                if next == 1_003 {
                    control.drain()
                    ahead.open()
                }
                return next
            }
        }
        let report = try await Pipeline.reading(parts: [slow, quick], concurrency: 2)
            .map("same", concurrency: 2) { $0 }
            .writing(to: log)
            .run(control)
        #expect(log.lines.all == ["1"])
        #expect(report.status == .interrupted && report.balanced)
        #expect(report.open == 3 && report.read == 4)
    }

    @Test("a cancelled run cancels its closures and throws once they have returned")
    func cancel() async throws {
        let control = RunControl()
        let returned = Log<Int>()
        let failure = await #expect(throws: PipelineFailure.self) {
            try await Pipeline.reading(from: 0...)
                .map("sleep", concurrency: 3) { number in
                    if number == 2 { control.cancel() }
                    defer { returned.add(number) }
                    try await Task.sleep(for: .seconds(1_000))
                    return number
                }
                .run(control)
        }
        guard case .cancelled? = failure?.reason else {
            Issue.record("not cancelled: \(String(describing: failure))")
            return
        }
        #expect(returned.all.sorted() == [0, 1, 2])
        #expect(failure?.report.balanced == true)
        #expect(failure?.report.written == 0)
    }

    @Test("a sink that waits is cancelled with the run")
    func cancelSink() async throws {
        let control = RunControl()
        let failure = await #expect(throws: PipelineFailure.self) {
            try await Pipeline.reading(from: 0...).map { $0 }
                .forEach { _ in
                    control.cancel()
                    try await Task.sleep(for: .seconds(1_000))
                }
                .run(control)
        }
        guard case .cancelled? = failure?.reason else {
            Issue.record("not cancelled: \(String(describing: failure))")
            return
        }
    }

    @Test("no more elements are on their way than the window holds", arguments: [1, 2, 10])
    func bound(elements: Int) async throws {
        let inside = Gauge()
        let report = try await Pipeline.reading(from: 0..<500)
            .map("in", concurrency: 3) { number in
                inside.enter()
                return number
            }
            .map("out", concurrency: 3) { $0 }
            .window(elements: elements)
            .forEach { _ in
                await Task.yield()
                inside.leave()
            }
            .run()
        #expect(inside.peak <= elements)
        #expect(report.written == 500 && report.balanced)
    }

    @Test("after a slow first element the window fills and reading waits")
    func slowHead() async throws {
        let first = TestGate()
        let read = Log<Int>()
        let part = Part<Int> {
            var numbers = (0..<200).makeIterator()
            return {
                let number = numbers.next()
                if let number { read.add(number) }
                return number
            }
        }
        let report = try await Pipeline.reading(parts: [part])
            .map("slow head", concurrency: 2) { number in
                if number == 0 { await first.wait() }
                // The last that fits: all of the window comes after the head now.
                if number == 15 { first.open() }
                return number
            }
            .window(elements: 16)
            .forEach { number in if number == 0 { #expect(read.all.count == 16) } }
            .run()
        #expect(report.written == 200 && report.balanced)
    }
}
