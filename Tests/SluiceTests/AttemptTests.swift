import Synchronization
import Testing
import WorkerPools

@testable import Sluice

@Suite("Timeouts and retries")
struct AttemptTests {
    /// Runs the pipeline while the clock's time flies.
    private func run<Element>(_ pipeline: Pipeline<Element>) async throws -> Report {
        let clock = ManualClock()
        let isDone = Atomic(false)
        async let flying: Void = {
            while !isDone.load(ordering: .relaxed) {
                clock.advance(by: .milliseconds(100))
                await Task.yield()
            }
        }()
        defer { isDone.store(true, ordering: .relaxed) }
        let report = try await pipeline.timing(by: clock).run()
        isDone.store(true, ordering: .relaxed)
        await flying
        return report
    }

    @Test("an element that succeeds at last is written at its place, and its retries are counted")
    func retry() async throws {
        let attempts = Locked<[Int: Int]>([:])
        let written = Log<Int>()
        let report = try await run(
            Pipeline.reading(from: 0..<50)
                .map("flaky", concurrency: 4, retry: RetryPolicy(times: 2, backoff: .seconds(1))) { number in
                    let attempt = attempts.withLock { attempts in
                        attempts[number, default: 0] += 1
                        return attempts[number, default: 0]
                    }
                    if number % 10 == 3, attempt < 3 { throw Odd(number: number) }
                    return number
                }
                .forEach { written.add($0) })
        #expect(written.all == Array(0..<50))
        #expect(report.status == .complete && report.balanced)
        #expect(report.stages.map(\.retries) == [10])
    }

    @Test("an element that fails every time is a dead letter with the number of its attempts")
    func exhausted() async throws {
        let letters = Log<DeadLetter>()
        let report = try await run(
            Pipeline.reading(from: 0..<20)
                .map("flaky", concurrency: 2, retry: RetryPolicy(times: 3)) { number in
                    if number == 7 { throw Odd(number: number) }
                    return number
                }
                .deadLetters { letters.add($0) })
        #expect(letters.all.map(\.place.index) == [7])
        #expect(letters.all.map(\.attempts) == [4])
        #expect(letters.all.first?.error as? Odd == Odd(number: 7))
        #expect(report.status == .losses && report.balanced && report.written == 19)
    }

    @Test("an attempt that takes too long is cancelled and counted, and the next elements go on")
    func timeout() async throws {
        let letters = Log<DeadLetter>()
        let cancelled = Log<Int>()
        let report = try await run(
            Pipeline.reading(from: 0..<10)
                .map("slow", timeout: .seconds(5)) { number in
                    if number == 4 {
                        do {
                            try await Task.sleep(for: .seconds(1_000))
                        } catch {
                            cancelled.add(number)
                            throw error
                        }
                    }
                    return number
                }
                .deadLetters { letters.add($0) })
        #expect(cancelled.all == [4])
        #expect(letters.all.map { $0.error as? TimeoutError } == [TimeoutError(limit: .seconds(5), attempts: 1)])
        #expect(report.written == 9 && report.dead == 1 && report.balanced)
        #expect(report.stages.map(\.timeouts) == [1])
    }

    @Test("a stage with a timeout that cannot pass its results on takes no more elements")
    func backpressure() async throws {
        let begun = Gauge()
        let full = TestGate()
        let report = try await Pipeline.reading(from: 0..<500)
            .map("quick", concurrency: 2, queue: 4, timeout: .seconds(1_000)) { number in
                begun.enter()
                // One blocked, four in its queue, one being passed on, four in the outbox: as many
                // begin in any case.
                if number == 9 { full.open() }
                return number
            }
            .map("blocked", queue: 4) { number in
                await full.wait()
                for _ in 0..<20 { await Task.yield() }
                begun.leave()
                return number
            }
            .run()
        // At most, the first stage's queue and workers have come to an outbox that was almost full.
        #expect(begun.peak <= 10 + 4 + 2 + 1)
        #expect(report.written == 500 && report.balanced)
    }

    @Test("a run can be cancelled while an element waits for its next attempt")
    func cancelDuringBackoff() async throws {
        let control = RunControl()
        let failure = await #expect(throws: PipelineFailure.self) {
            try await Pipeline.reading(from: 0..<10)
                .map("flaky", retry: RetryPolicy(times: 3, backoff: .seconds(1_000), jitter: false)) { number in
                    if number == 5 { control.cancel() }
                    throw Odd(number: number)
                }
                .timing(by: ManualClock())
                .run(control)
        }
        guard case .cancelled? = failure?.reason else {
            Issue.record("not cancelled: \(String(describing: failure))")
            return
        }
        #expect(failure?.report.balanced == true)
    }
}
