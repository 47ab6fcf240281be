package import Sluice
import Synchronization
import WorkerPools

/// What became of a record that was given to a child process.
package enum ExecOutcome: Sendable, Equatable {
    /// The line the child wrote, without its line feed: one JSON object.
    case answer([UInt8])
    /// `code` is `timeout`, `exec.exit`, `exec.protocol` or `exec.spawn`.
    case failed(code: String, message: String, attempts: Int)
}

/// What the children of an `exec` stage have been through.
package struct ExecCounters: Sendable, Equatable {
    /// Attempts after a record's first.
    package var retries = 0
    package var timeouts = 0
    /// Children started in place of one that had died or was killed.
    package var restarts = 0
    /// Breaches of the protocol, those outside of any record's turn included.
    package var breaches = 0
    /// Time in which children were asked and had not answered, summed over all of them.
    package var busy = Duration.zero
    /// Living children, those that are being killed included.
    package var children = 0
    package var peakChildren = 0
}

/// Long-lived child processes that answer one JSON line with one JSON line.
///
/// - Concurrency: one child answers one record at a time. The pool doubles when the records that
///   wait exceed 75 % of its workers and halves when none waits, between the bounds of `workers`; a
///   child is started when a worker finds none free. A child that is being killed keeps its place
///   until it is gone.
/// - Timeout: of one attempt, from the moment a child is asked, for a new child from the moment its
///   process is there. The child is killed: SIGTERM to its process group, SIGKILL a second later.
/// - Retries: exponential backoff with full jitter; waiting for one holds no child.
/// - A child that ends without an answer although it had answered before may have been on its way
///   out when it was asked: its record is given once to a fresh child, and that does not count as
///   an attempt.
/// - A child that breaks the protocol is killed, and the record it was asked fails with
///   `exec.protocol`. Bytes that a child wrote before it was asked are never an answer. What cannot
///   be seen: a surplus line that a child writes only after it was asked for the next record. To
///   make that rare, the first answer of each child is held back for 20 ms, and the longest idle
///   child is asked first.
/// - The children's standard error is passed on line by line; what a child said there since it was
///   asked is part of the message when it dies.
/// - The children are in process groups of their own, so Ctrl-C does not reach them; who ends this
///   process at once calls ``ChildProcesses/killAll()`` first. When this process is killed with
///   SIGKILL their standard input ends, which ends every child that reads it; one that hangs
///   without reading it stays.
/// - SIGPIPE and SIGXFSZ are ignored in the whole process from the first pool on; children have
///   them as usual.
///
/// Needs Linux 5.4 (process descriptors).
package final class ExecPool: Sendable {
    /// A job is a record: the pool has the concurrency, the retries, and grows and shrinks.
    /// Timeouts are the loop's, since only it knows when a child was asked.
    private let jobs: WorkerPool
    private let loop: ChildLoop
    private let workers = Atomic(0)

    /// Starts nothing yet.
    ///
    /// - Parameters:
    ///   - name: the stage's, for the lines of standard error.
    ///   - command: a path where it has a `/`, else looked for in `PATH`, and its arguments.
    package convenience init(name: String, command: [String], workers: ClosedRange<Int>, timeout: Duration?, retry: RetryPolicy?) {
        let children = ChildLoop.Configuration(
            name: name, command: command, limit: workers.upperBound, bounds: ChildProtocol.Bounds(timeout: timeout),
            log: { standardError("\(name): \($0)\n") })
        self.init(children, leastWorkers: workers.lowerBound, retry: retry)
    }

    init(_ children: ChildLoop.Configuration, leastWorkers: Int, retry: RetryPolicy?) {
        loop = ChildLoop(children)
        var policy = retry
        policy?.retries = { ($0 as? ChildFailure)?.code != .cancelled }
        jobs = WorkerPool(.init(name: children.name, workers: leastWorkers...max(leastWorkers, children.limit), retry: policy))
    }

    deinit {
        loop.abandon()
    }

    /// Gives `record`, one line without its line feed, to a child and waits for the answer. A
    /// cancelled task gets a `failed` with the code `cancelled`, at once.
    package func answer(_ record: [UInt8]) async -> ExecOutcome {
        let attempts = Attempts()
        do {
            let job = try await jobs.submit { [loop] () async throws(ChildFailure) in
                attempts.add()
                let line = try await loop.ask(record).get()
                if let fault = AnswerCheck.fault(in: line) {
                    throw ChildFailure(code: .breach, message: "answered \(ChildProtocol.excerpt(line[...])), which is not JSON: \(fault)")
                }
                return line
            }
            let result = await withTaskCancellationHandler {
                await job.result
            } onCancel: {
                job.cancel()
            }
            fitChildren()
            switch result {
            case .success(let line):
                return .answer(line)
            case .failure(.failed(let failure)):
                return .failed(failure, attempts.count)
            case .failure(.stopped):
                return .failed(.givenUp, attempts.count)
            }
        } catch {
            return .failed(.givenUp, attempts.count)
        }
    }

    /// Lets idle children go when the pool has shrunk.
    private func fitChildren() {
        let now = jobs.counters.workers
        if workers.exchange(now, ordering: .relaxed) != now { loop.keep(now) }
    }

    package var counters: ExecCounters {
        let counts = loop.counts.withLock { $0 }
        return ExecCounters(
            retries: jobs.counters.retried, timeouts: counts.timeouts, restarts: counts.restarts, breaches: counts.breaches,
            busy: counts.busy, children: counts.living, peakChildren: counts.peak)
    }

    /// Closes the children's standard inputs and waits until they have ended; those that are still
    /// there after `patience` are killed, and records still with them fail. Further records fail
    /// with the code `cancelled`.
    package func shutdown(patience: Duration = .seconds(5)) async {
        await loop.close(within: patience)
        jobs.cancel()
        await jobs.drain()
    }
}

/// The attempts at one record.
private final class Attempts: Sendable {
    private let made = Atomic(0)

    func add() { made.add(1, ordering: .relaxed) }
    var count: Int { made.load(ordering: .relaxed) }
}

extension ExecOutcome {
    fileprivate static func failed(_ failure: ChildFailure, _ attempts: Int) -> ExecOutcome {
        .failed(code: failure.code.rawValue, message: failure.message, attempts: attempts)
    }
}
