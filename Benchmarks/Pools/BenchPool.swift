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
        let start = PoolClock().now
        let run = Run(plan)
        var more = ""
        switch plan.measure {
        case .throughput: try await run.throughput()
        case .idle: more = ", \"idle_cpu_seconds\": \(try await run.idleSecond())"
        case .latency:
            let latencies = try await run.latencies()
            let (median, high) = (latencies[latencies.count / 2], latencies[latencies.count * 999 / 1000])
            more = ", \"latency_median_us\": \(median), \"latency_p999_us\": \(high)"
        }
        let wall = start.duration(to: PoolClock().now)
        let after = Usage.now
        let seconds = Double(wall.components.seconds) + Double(wall.components.attoseconds) / 1e18
        print(
            """
            {"wall_seconds": \(seconds), "cpu_seconds": \(after.cpuSeconds - before.cpuSeconds), \
            "jobs": \(plan.jobs), "concurrency": \(plan.concurrency), "peak_rss_kib": \(after.peakKiB)\(more)}
            """)
    }
}
