import InMemoryLogging
import Logging
import MetricsTestKit
import Sluice
import Testing

@Suite("A run that is observed")
struct ObservingTests {
    private struct Refused: Error, CustomStringConvertible {
        var description: String { "no odd numbers" }
    }

    private static let numbers = Pipeline.reading(from: 0..<10)
        .map("even") { (number: Int) throws -> Int in if number.isMultiple(of: 2) { number } else { throw Refused() } }
        .filter("large") { $0 > 2 }

    private static func logged(_ level: Logger.Level = .trace, _ run: (Logger) async -> Void) async -> [InMemoryLogHandler.Entry] {
        let handler = InMemoryLogHandler()
        var logger = Logger(label: "test") { _ in handler }
        logger.logLevel = level
        await run(logger)
        return handler.entries
    }

    @Test("logs its beginning, the first failure of each stage, and its end with the counts")
    func logs() async throws {
        let entries = await Self.logged { logger in
            _ = try? await Self.numbers.deadLetters { _ in }.logging(to: logger).forEach { _ in }.run()
        }
        #expect(entries.map(\.level) == [.debug, .warning, .warning])
        #expect(entries.map { "\($0.message)" } == ["run began", "element failed", "run complete, with losses"])
        #expect(entries[0].metadata["sluice.stages"] == .array(["even", "large"]))
        #expect(entries[1].metadata["sluice.stage"] == "even" && entries[1].metadata["exception.message"] == "no odd numbers")
        #expect(entries[1].metadata["exception.type"] == "Refused")
        let counts = entries[2].metadata.mapValues { "\($0)" }
        #expect(counts["sluice.read"] == "10" && counts["sluice.written"] == "3" && counts["sluice.filtered"] == "2" && counts["sluice.dead"] == "5")
    }

    @Test("logs why it failed, and nothing below the logger's level")
    func failures() async {
        let failed = await Self.logged(.error) { logger in _ = try? await Self.numbers.logging(to: logger).forEach { _ in }.run() }
        #expect(failed.map { "\($0.level) \($0.message)" } == ["error run failed"])
        #expect("\(failed[0].metadata["exception.message"] ?? "")".contains("stage 'even' failed"))
        let complete = await Self.logged(.warning) { logger in _ = try? await Pipeline.reading(from: 0..<10).logging(to: logger).forEach { _ in }.run() }
        #expect(complete.isEmpty)
        let drained = await Self.logged { logger in
            let control = RunControl()
            control.drain()
            _ = try? await Pipeline.reading(from: 0..<10).logging(to: logger).forEach { _ in }.run(control)
        }
        #expect(drained.map { "\($0.message)" } == ["run began", "run interrupted"])
    }

    @Test("still calls the program's own closure for failures")
    func callback() async throws {
        let (stream, feed) = AsyncStream<String>.makeStream()
        _ = await Self.logged { logger in
            _ = try? await Self.numbers.deadLetters { _ in }.onFailure { feed.yield($0.stage) }.logging(to: logger).forEach { _ in }.run()
        }
        feed.finish()
        #expect(await stream.reduce(into: []) { $0.append($1) }.count == 5)
    }

    @Test("reports its counters to swift-metrics, by what was added")
    func metrics() async throws {
        let factory = TestMetrics()
        let control = RunControl()
        let metrics = RunMetrics(control, pipeline: "p", factory: factory)
        metrics.report()
        try await Self.numbers.deadLetters { _ in }.forEach { _ in }.run(control)
        metrics.report()
        metrics.report()
        func total(_ label: String, _ stage: String? = nil) throws -> Int64 {
            try factory.expectCounter(label, [("pipeline", "p")] + (stage.map { [("stage", $0)] } ?? [])).totalValue
        }
        #expect(try total("sluice_read") == 10 && total("sluice_written") == 3 && total("sluice_dead_letters") == 5)
        #expect(try total("sluice_stage_in", "even") == 10 && total("sluice_stage_out", "even") == 5 && total("sluice_stage_dead", "even") == 5)
        #expect(try total("sluice_stage_filtered", "large") == 2)
        #expect(try factory.expectGauge("sluice_stage_queued", [("pipeline", "p"), ("stage", "even")]).lastValue == 0)
    }

    @Test("is reported at intervals until it has ended")
    func intervals() async throws {
        let factory = TestMetrics()
        let control = RunControl()
        async let reported: Void = control.reportMetrics(of: "p", every: .milliseconds(1), to: factory)
        try await Self.numbers.deadLetters { _ in }.forEach { _ in }.run(control)
        await reported
        #expect(try factory.expectCounter("sluice_read", [("pipeline", "p")]).totalValue == 10)
    }
}
