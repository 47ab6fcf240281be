import Sluice
import Synchronization
import WorkerPools

/// The end of a request.
enum HTTPOutcome: Sendable, Equatable {
    case answer(HTTPAnswer)
    case failed(HTTPFailure, attempts: Int)
    /// The run is ending, and the request was not made, not repeated, or not waited for.
    case abandoned
}

/// Makes the requests of a stage.
///
/// - Concurrency: a worker has one request in flight. Within the bounds of `workers`, the pool
///   doubles when the waiting records exceed 75 % of its workers, and halves when none waits.
/// - Connections are kept and used again, by all workers.
/// - Retries: exponential backoff with full jitter, or what the server asks for if that is longer.
///   A record that waits for one occupies no worker.
/// - SIGPIPE and SIGXFSZ are ignored in the whole process once a pool was created.
final class HTTPPool: Sendable {
    /// How long requests in flight are waited for when the run is to end early.
    static let grace = Duration.seconds(5)

    /// A job is one attempt.
    private let jobs: WorkerPool
    private let loop: HTTPLoop
    private let attempts: Attempts
    private let longestWait: Duration
    private let counts = Locked(Counts())
    private let size: Locked<ClosedRange<Int>>

    private struct Counts {
        var timeouts = 0
        var busy = Duration.zero
    }

    init(name: String, _ configuration: HTTPLoop.Configuration, leastWorkers: Int, retry: RetryPolicy?) {
        loop = HTTPLoop(configuration)
        attempts = Attempts(retry)
        longestWait = configuration.options.longestRetryAfter
        let workers = leastWorkers...max(leastWorkers, configuration.workers)
        size = Locked(workers)
        jobs = WorkerPool(.init(name: name, workers: workers))
    }

    deinit {
        loop.abandon()
    }

    /// A cancelled task gets `abandoned` at once.
    func answer(_ request: HTTPRequest) async -> HTTPOutcome {
        let end = await attempts.run(
            isFinal: { (failure: HTTPFailure) in !failure.isTemporary },
            atLeast: { [longestWait] in min($0.wait ?? .zero, longestWait) },
            { await self.attempt(request) })
        switch end {
        case .answer(let answer): return .answer(answer)
        case .failed(let failure, let attempts): return .failed(failure, attempts: attempts)
        case .abandoned: return .abandoned
        }
    }

    private func attempt(_ request: HTTPRequest) async -> Result<HTTPAnswer, HTTPFailure>? {
        do {
            let job = try await jobs.submit { [self] () async -> HTTPQuestion.Reply in
                let start = ContinuousClock.now
                let reply = await loop.ask(request)
                note(reply, since: start)
                return reply
            }
            let result = await withTaskCancellationHandler {
                await job.result
            } onCancel: {
                job.cancel()
            }
            guard case .success(let reply) = result else { return nil }
            if case .failure(let failure) = reply, failure.code == .cancelled { return nil }
            return reply
        } catch {
            return nil
        }
    }

    private func note(_ reply: HTTPQuestion.Reply, since start: ContinuousClock.Instant) {
        let busy = ContinuousClock.now - start
        counts.withLock { counts in
            counts.busy += busy
            if case .failure(let failure) = reply, failure.code == .timeout { counts.timeouts += 1 }
        }
    }

    /// The bounds of the number of requests in flight.
    var bounds: ClosedRange<Int> { size.withLock { $0 } }

    /// Sets the number of requests in flight. Those that are too many are finished.
    func resize(to workers: Int) {
        size.withLock { $0 = workers...workers }
        loop.limit(to: workers)
        jobs.beginResizing(to: workers...workers)
    }

    var ownWorkers: OwnWorkers {
        let (timeouts, busy) = counts.withLock { ($0.timeouts, $0.busy) }
        return OwnWorkers(
            range: bounds, peak: jobs.counters.peakWorkers, retries: attempts.retries, timeouts: timeouts, busy: busy, answered: attempts.answered)
    }

    /// Starts the thread that makes the requests, so that it is not refused later.
    ///
    /// - Returns: false if the system refuses it.
    func begin() -> Bool {
        guard ThreadAllowance.threads(upTo: 1) == 1 else { return false }
        do throws(HTTPFailure) {
            try loop.begin()
        } catch {
            // The first record will tell.
        }
        return true
    }

    /// Lets no further request and no retry begin. Requests in flight are aborted after `grace`.
    func drain(grace: Duration = HTTPPool.grace) {
        attempts.end()
        loop.drain(grace: grace)
    }

    /// Aborts what is in flight and closes all connections.
    func shutdown() async {
        attempts.end()
        await loop.close()
        jobs.cancel()
        await jobs.drain()
    }
}
