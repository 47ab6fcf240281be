import Testing

@testable import Sluice

@Suite("Elements that a drain gives up")
struct AbandonedTests {
    private struct Broken: Error {}

    /// Gives up element 40 of 100 after the drain, once later elements have passed the stage.
    private func run(
        _ control: RunControl, written: Log<Int>, seen: Log<Int>, unordered: Bool = false, before: (Pipeline<Int>) -> Pipeline<Int> = { $0 },
        failing fails: @escaping @Sendable (Int) -> Bool = { _ in false }
    ) async throws -> Report {
        let passed = TestGate()
        let abandoned = TestGate()
        let asked = before(Pipeline.reading(from: 0..<100))
            .map("ask", concurrency: 8, onError: .stop) { number in
                if number == 43 { passed.open() }
                if number == 40 {
                    await passed.wait()
                    control.drain()
                    abandoned.open()
                    throw Abandoned()
                }
                if fails(number) {
                    await abandoned.wait()
                    throw Broken()
                }
                return number
            }
        let pipeline = unordered ? asked.unordered() : asked
        return
            try await pipeline
            .inOrder("seen", state: 0) { _, number in
                seen.add(number)
                return number
            }
            .map("again", concurrency: 4) { $0 }
            .forEach { written.add($0) }
            .run(control)
    }

    @Test("everything before the first of them is written, and nothing after it, nor seen by a stage in order")
    func before() async throws {
        for _ in 0..<20 {
            let (written, seen) = (Log<Int>(), Log<Int>())
            let report = try await run(RunControl(), written: written, seen: seen)
            #expect(written.all == Array(0..<40) && seen.all == Array(0..<40))
            #expect(report.status == .interrupted && report.abandoned == Place(part: 0, index: 40))
            #expect(report.parts == [Report.Part(read: report.read, ended: report.parts[0].ended)])
        }
    }

    @Test("a failure after it has no effect, one before it fails the run")
    func failures() async throws {
        let (written, seen) = (Log<Int>(), Log<Int>())
        let report = try await run(RunControl(), written: written, seen: seen, failing: { $0 == 42 })
        #expect(report.status == .interrupted && written.all == Array(0..<40))
        await #expect(throws: PipelineFailure.self) {
            try await run(RunControl(), written: Log<Int>(), seen: Log<Int>(), failing: { $0 == 39 })
        }
    }

    @Test("a stage before it that has enough does not make the run complete")
    func enough() async throws {
        let (written, seen) = (Log<Int>(), Log<Int>())
        let report = try await run(RunControl(), written: written, seen: seen, before: { $0.prefix(50) })
        #expect(report.status == .interrupted && !report.hadEnough && written.all == Array(0..<40))
    }

    @Test("nothing is appended after it")
    func appending() async throws {
        let control = RunControl()
        let appended = Log<Int>()
        let report = try await Pipeline.reading(from: 0..<10)
            .prefix(5)
            .map("ask") { number in
                guard number == 4 else { return number }
                control.drain()
                throw Abandoned()
            }
            .appending("more") {
                appended.add(0)
                return nil
            }
            .forEach { _ in }
            .run(control)
        #expect(report.status == .interrupted && report.written == 4 && appended.all.isEmpty)
    }

    @Test("while the run is not drained, giving up is an error as any other")
    func notDrained() async throws {
        let failure = await #expect(throws: PipelineFailure.self) {
            try await Pipeline.reading(from: 0..<3).map("ask", onError: .stop) { _ -> Int in throw Abandoned() }.forEach { _ in }.run()
        }
        guard case .stage("ask", _, _, let error)? = failure?.reason else { throw Broken() }
        #expect(error is Abandoned)
    }
}
