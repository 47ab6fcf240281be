package import Sluice
import Subprocess
import Synchronization
import WorkerPools

/// The outcome of a record that was sent to a child process.
package enum ExecOutcome: Sendable, Equatable {
    /// The child's answer, a JSON object without the line feed.
    case answer([UInt8])
    /// `code` is `timeout`, `exec.exit`, `exec.protocol` or `exec.spawn`.
    case failed(code: String, message: String, attempts: Int)
}

/// Counters of an `exec` stage.
package struct ExecCounters: Sendable, Equatable {
    /// Attempts after the first one.
    package var retries = 0
    package var timeouts = 0
    /// Children started to replace one that had exited or was killed.
    package var restarts = 0
    /// Violations of the protocol, including those outside of any record.
    package var breaches = 0
    /// The time during which children had an open question, summed over all children.
    package var busy = Duration.zero
    /// Records with an answer, or a failure that is final.
    package var answered = 0
    /// Running children, including those that are being killed.
    package var children = 0
    package var peakChildren = 0
}

/// Long-lived child processes that answer one JSON line with one JSON line.
///
/// - Concurrency: a child works on one record at a time. Within the bounds of `workers`, the pool
///   doubles when the waiting records exceed 75 % of its workers, and halves when none waits. A
///   child is started when a worker finds none free. A child that is being killed counts until it
///   is gone.
/// - Timeout: applies to one attempt, from the moment the child is asked or, for a new child, from
///   the moment its process exists. The child is then killed: SIGTERM to its process group, SIGKILL
///   a second later.
/// - Retries: exponential backoff with full jitter. A record that waits for one occupies no child.
/// - A child that exits without an answer, but has answered before, may have begun to exit before
///   it was asked: its record is sent once to a new child, which does not count as an attempt.
/// - A child that violates the protocol is killed, and the record it was asked fails with
///   `exec.protocol`. Bytes that a child wrote before it was asked are never taken as an answer.
///   One case cannot be detected: an extra line that a child writes only after it was asked for the
///   next record. To make that unlikely, the first answer of each child is held back for 20 ms, and
///   the child that has been idle longest is asked first.
/// - The children's standard error is passed on line by line. If a child dies, the message includes
///   what it wrote there since it was asked.
/// - The children have their own process groups, so that Ctrl-C does not reach them. To end this
///   process at once, call ``ChildProcesses/killAll()`` first. If this process is killed with
///   SIGKILL, the children's standard input ends, which ends every child that reads it; one that
///   hangs without reading continues.
/// - SIGPIPE and SIGXFSZ are ignored in the whole process once a pool was created; children get the
///   default behavior.
///
/// Requires Linux 5.4 (process descriptors).
package final class ExecPool: Sendable {
    /// A job is an attempt: the worker pool provides concurrency and scaling. Timeouts belong to
    /// the loop, since only the loop knows when a child was asked.
    private let jobs: WorkerPool
    private let attempts: Attempts
    private let loop: ChildLoop
    private let workers = Atomic(0)
    private let size: Locked<ClosedRange<Int>>
    private let answersMany: Bool

    /// Does not start any process yet.
    ///
    /// - Parameters:
    ///   - name: the name of the stage, which prefixes lines of standard error.
    ///   - command: a path if it contains a `/`, otherwise a name to look up in `PATH`, followed by
    ///     its arguments.
    ///   - startTimeout: the timeout of the first answer of each child, if not `timeout`.
    ///   - answersMany: whether an answer is any number of lines followed by an empty one.
    package convenience init(
        name: String, command: [String], workers: ClosedRange<Int>, timeout: Duration?, startTimeout: Duration? = nil, retry: RetryPolicy?,
        answersMany: Bool = false
    ) {
        let children = ChildLoop.Configuration(
            name: name, command: command, limit: workers.upperBound,
            bounds: ChildProtocol.Bounds(timeout: timeout, startTimeout: startTimeout, answersMany: answersMany),
            log: { standardError("\(name): \($0)\n") })
        self.init(children, leastWorkers: workers.lowerBound, retry: retry)
    }

    init(_ children: ChildLoop.Configuration, leastWorkers: Int, retry: RetryPolicy?) {
        loop = ChildLoop(children)
        answersMany = children.bounds.answersMany
        attempts = Attempts(retry)
        let workers = leastWorkers...max(leastWorkers, children.limit)
        size = Locked(workers)
        jobs = WorkerPool(.init(name: children.name, workers: workers))
    }

    deinit {
        loop.abandon()
    }

    /// Sends `record`, one line without its line feed, to a child and waits for the answer. A
    /// cancelled task, and one whose next attempt would begin after ``drain()``, gets `failed` with
    /// the code `cancelled`.
    package func answer(_ record: [UInt8]) async -> ExecOutcome {
        switch await attempts.run(isFinal: { (_: ChildFailure) in false }, { await self.attempt(record) }) {
        case .answer(let line): .answer(line)
        case .failed(let failure, let attempts): .failed(failure, attempts)
        case .abandoned(let attempts): .failed(.givenUp, attempts)
        }
    }

    private func attempt(_ record: [UInt8]) async -> Result<[UInt8], ChildFailure>? {
        do {
            let job = try await jobs.submit { [loop, attempts, answersMany] () async throws(ChildFailure) in
                if attempts.isEnding { throw .givenUp }
                let line = try await loop.ask(record).get()
                for part in answersMany ? line.split(separator: UInt8(ascii: "\n")).map(Array.init) : [line] {
                    guard let fault = AnswerCheck.fault(in: part) else { continue }
                    throw ChildFailure(code: .breach, message: "answered \(ChildProtocol.excerpt(part[...])), which is not JSON: \(fault)")
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
            case .success(let line): return .success(line)
            case .failure(.failed(let failure)): return failure.code == .cancelled ? nil : .failure(failure)
            case .failure(.stopped): return nil
            }
        } catch {
            return nil
        }
    }

    /// Starts the threads that serve the children, so that none is refused later.
    ///
    /// - Returns: false if the system refuses them.
    func begin() async -> Bool {
        // The loop's, and two of swift-subprocess.
        guard ThreadAllowance.threads(upTo: 3) == 3 else { return false }
        do {
            try loop.begin()
            // swift-subprocess starts the thread that starts children when it is first needed, and
            // waits for ever if that is refused. This needs it, whether there is such a name or
            // not.
            _ = try await Executable.name("sh").resolveExecutablePath(in: .inherit)
        } catch {
            // The first record will tell.
        }
        return true
    }

    /// Lets no further attempt begin. Those that have begun go on.
    package func drain() {
        attempts.end()
        loop.drain()
    }

    /// The bounds of the number of children.
    package var bounds: ClosedRange<Int> { size.withLock { $0 } }

    /// Sets the number of children. Those that are too many end once they have answered.
    package func resize(to workers: Int) {
        size.withLock { $0 = workers...workers }
        loop.limit(to: workers)
        jobs.beginResizing(to: workers...workers)
    }

    /// Dismisses idle children when the pool has shrunk.
    private func fitChildren() {
        let now = jobs.counters.workers
        if workers.exchange(now, ordering: .relaxed) != now { loop.keep(now) }
    }

    package var counters: ExecCounters {
        let counts = loop.counts.withLock { $0 }
        return ExecCounters(
            retries: attempts.retries, timeouts: counts.timeouts, restarts: counts.restarts, breaches: counts.breaches,
            busy: counts.busy, answered: attempts.answered, children: counts.living, peakChildren: counts.peak)
    }

    /// Closes the children's standard inputs and waits until they have exited. Those that are still
    /// running after `patience` are killed, and their records fail. Further records fail with the
    /// code `cancelled`.
    package func shutdown(patience: Duration = .seconds(5)) async {
        await loop.close(within: patience)
        attempts.end()
        jobs.cancel()
        await jobs.drain()
    }
}

extension ExecOutcome {
    fileprivate static func failed(_ failure: ChildFailure, _ attempts: Int) -> ExecOutcome {
        .failed(code: failure.code.rawValue, message: failure.message, attempts: attempts)
    }
}
