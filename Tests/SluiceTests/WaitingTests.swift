import Sluice
import Testing

@Suite("Waiting for room")
struct WaitingTests {
    /// A pipeline whose last part takes its time, long enough to be measured.
    private static func report(measured: Bool) async throws -> Report {
        let pipeline = Pipeline.reading(from: 0..<20)
            .map("quick", queue: 1) { $0 }
            .map("slow", queue: 1) { number in
                let end = ContinuousClock.now + .milliseconds(5)
                while ContinuousClock.now < end { await Task.yield() }
                return number
            }
            .inOrder("order", state: 0) { _, number in number }
            .forEach { _ in }
        return try await (measured ? pipeline.measuringWaiting() : pipeline).run()
    }

    @Test("is measured apart from being busy, if it is wanted")
    func measured() async throws {
        let report = try await Self.report(measured: true)
        let quick = try #require(report.stages.first { $0.name == "quick" })
        let slow = try #require(report.stages.first { $0.name == "slow" })
        let order = try #require(report.stages.first { $0.name == "order" })
        #expect(slow.busy >= .milliseconds(100))
        #expect(quick.busy + quick.waited <= report.elapsed && quick.waited > .milliseconds(20))
        // What is before it waits in turn.
        #expect(report.reading.waited > .milliseconds(20) && report.reading.elements == 20 && report.readers == 1)
        #expect(slow.waited < slow.busy && !slow.isOrdered && order.isOrdered)
        #expect(report.writing.elements == 20 && report.writing.busy > .zero && report.writing.busy < report.elapsed)
    }

    @Test("is not measured by default")
    func unmeasured() async throws {
        let report = try await Self.report(measured: false)
        #expect(report.stages.allSatisfy { $0.waited == .zero })
        #expect(report.reading == Report.Activity() && report.writing == Report.Activity())
    }
}
