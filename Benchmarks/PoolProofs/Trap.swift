import WorkerPools

/// Traps in a job, to show the crash report: `SWIFT_BACKTRACE=enable=yes prove-pool trap`.
enum Trap {
    static func prove(_ findings: inout Findings) async throws {
        let executor = ThreadExecutor(threads: 2, name: "thumbnails")
        let pool = WorkerPool(.init(name: "thumbnails", workers: 1...1, executor: executor))
        let photos = ["a.jpg"]
        try await pool.submit(JobOptions(name: "second photo")) { makeThumbnail(of: photos, number: 1) }
        await pool.drain()
        findings.note("jobs that trapped and left the process alive", 1, unit: "jobs", limit: 0)
    }

    @inline(never)
    private static func makeThumbnail(of photos: [String], number: Int) {
        precondition(!photos[number].isEmpty)
    }
}
