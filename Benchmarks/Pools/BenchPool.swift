import WorkerPools

/// `bench-pool`: one measurement, one JSON line.
@main struct BenchPool {
    static func main() async throws {
        let plan: Plan
        do {
            plan = try Plan(Array(CommandLine.arguments.dropFirst()))
        } catch {
            print("bench-pool: cannot read '\(error.flag)'\n\(Plan.usage)")
            return
        }
        let before = Usage.now
        let clock = ContinuousClock()
        let run = Run(plan)
        let wall = try await clock.measure { try await run.throughput() }
        let after = Usage.now
        let seconds = Double(wall.components.seconds) + Double(wall.components.attoseconds) / 1e18
        print(
            """
            {"wall_seconds": \(seconds), "cpu_seconds": \(after.cpuSeconds - before.cpuSeconds), \
            "jobs": \(plan.jobs), "concurrency": \(plan.concurrency), "peak_rss_kib": \(after.peakKiB)}
            """)
    }
}
