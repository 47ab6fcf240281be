import Testing
import WorkerPools

/// Invalid arguments stop the program with a message that names the thing and its value.
@Suite struct `A pool is refused` {
    private func expectMessage(_ message: String, in result: ExitTest.Result?) {
        let error = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(error.contains(message), "\(error)")
    }

    @Test func `without workers`() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = WorkerPool(.init(name: "small", workers: 0))
        }
        expectMessage("pool 'small' needs at least one worker, not 0...0", in: result)
    }

    @Test func `made smaller than one worker`() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            await WorkerPool(.init(name: "small", workers: 1)).resize(to: 0)
        }
        expectMessage("pool 'small' needs at least one worker, not 0...0", in: result)
    }

    @Test func `without room in its queue`() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = WorkerPool(.init(name: "full", workers: 1, queue: .bounded(0)))
        }
        expectMessage("pool 'full' needs room for at least one job in its queue", in: result)
    }

    @Test func `with a priority below zero, even one set later`() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            var priority = JobPriority.low
            priority.level -= 1
        }
        expectMessage("a job's priority level is 0 or more, not -1", in: result)
    }

    @Test func `with threads or retries below zero`() async {
        let threads = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = ThreadExecutor(threads: 0, name: "none")
        }
        expectMessage("executor 'none' needs at least one thread, not 0", in: threads)
        let retries = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = RetryPolicy(times: -1)
        }
        expectMessage("a retry policy needs 0 or more times, not -1", in: retries)
    }
}
