import Glibc
public import Sluice
import SluiceCEL

/// `exec`: sends each record to a child process as one JSON line; the answer replaces the record.
package struct Exec: Verb {
    package static let declaration = Declaration(
        "exec", "passes each record to a child process as a line of JSON and reads a line of JSON as its answer",
        argument: .list(.text),
        options: [
            ArgumentKey(
                "start_timeout", .duration, example: "start_timeout: 30s",
                "the time limit for the first answer of a new child, if longer than `timeout`"),
            ArgumentKey(
                "answers", .choice(["one", "many"]), default: "one", example: "answers: many",
                "how many lines answer a record; `many`: any number, followed by an empty line"),
        ],
        example: "exec: [./score, --jsonl]",
        elsewhere: ["run", "command", "script", "pipe", "program", "shell", "subprocess", "process"])

    private let command: [String]
    private let startTimeout: Duration?
    private let answersMany: Bool

    /// - Parameter command: a path, or a name to look up in `PATH`, followed by its arguments.
    package init(_ command: [String], startTimeout: Duration? = nil, answersMany: Bool = false) {
        self.command = command
        self.startTimeout = startTimeout
        self.answersMany = answersMany
    }

    package init?(_ argument: Argument, options: Arguments, _ checking: inout Checking) {
        checking.fields = .open
        guard let leaves = argument.leaves, let command = leaves.first else { return nil }
        if command.text.isEmpty {
            checking.report("names no command", at: argument.place, fix: "write 'exec: [./score, --jsonl]'")
            return nil
        }
        if command.isComplete { Self.check(command, &checking) }
        self.init(leaves.map(\.text), startTimeout: options["start_timeout"]?.duration, answersMany: options["answers"]?.leaf?.text == "many")
    }

    private static func check(_ leaf: Leaf, _ checking: inout Checking) {
        let command = leaf.text
        let isThere: Bool
        if command.contains("/") {
            isThere = access(command, X_OK) == 0
        } else {
            let folders = Environment.value("PATH")?.split(separator: ":") ?? []
            isThere = folders.contains { access("\($0)/\(command)", X_OK) == 0 }
        }
        guard !isThere else { return }
        let fix = command.contains("/") ? "relative paths start from the current folder; the file must be executable" : "install it, or give its path"
        checking.report("no such command '\(command)'", at: leaf.place, fix: fix)
    }

    package var dependence: Dependence { answersMany ? .recordOfSeveral : .record }
    package var mentions: [String] { [] }
    package var givesNewBytes: Bool { true }
    package var callsOthers: Bool { true }

    package func makeStep(_ stage: RecordStage) -> Step {
        .each(ExecStep(name: stage.name, command: command, stage, startTimeout: startTimeout, answersMany: answersMany))
    }
}

/// The child processes of `exec` during a run.
struct ExecStep: EachStep {
    private let children: ExecPool
    private let workers: ClosedRange<Int>
    private let limit: DeadLetterLimit?
    private let answersMany: Bool

    init(name: String, command: [String], _ stage: RecordStage, startTimeout: Duration?, answersMany: Bool) {
        let pool = stage.pool
        workers = pool.workers ?? 1...1
        limit = stage.onError == .deadLetter ? stage.room.deadLetters : nil
        self.answersMany = answersMany
        children = ExecPool(
            name: name, command: command, workers: workers, timeout: pool.timeout, startTimeout: startTimeout, retry: pool.retry, answersMany: answersMany)
    }

    func bind(_ site: StageSite, _ binder: inout StageBinder) -> any EachStage {
        var site = site
        // The child processes enforce the time limit, for each attempt.
        site.timeout = nil
        return ExecStage(
            site: site, children: children, limit: limit, answersMany: answersMany, next: binder.next)
    }

    func begin() async -> Bool { await children.begin() }

    func drain() { children.drain() }

    func end() async {
        await children.shutdown()
    }

    /// Two, so that the children have work while the answers of one batch are decoded.
    func batches(_ pool: PoolOptions, threads: Int) -> ClosedRange<Int> { 1...2 }

    var ownWorkers: OwnWorkers? {
        let counters = children.counters
        return OwnWorkers(
            range: children.bounds, peak: counters.peakChildren, retries: counters.retries, timeouts: counters.timeouts, busy: counters.busy,
            answered: counters.answered)
    }

    var allowedWorkers: ClosedRange<Int>? { OwnWorkers.allowed(beside: workers) }

    func resize(to workers: Int) { children.resize(to: workers) }
}

/// `exec`, bound to one place.
struct ExecStage: EachStage {
    let site: StageSite
    let children: ExecPool
    /// Checked for each record that fails, because a batch may take long.
    let limit: DeadLetterLimit?
    let answersMany: Bool
    let next: BoundSegment?
    /// The limit for the answers of one batch: far more than the batch itself, and well within the
    /// 4 GiB that frames can address.
    private static let mostAnswerBytes = 1 << 30

    func run(_ batch: RecordBatch) async throws {
        let answers = try await ask(batch)
        let bytes = ByteBuffer(capacity: Batch.targetBytes)
        var frames: [Frame] = []
        var origins: [UInt32] = []
        var index = 0
        try site.sift(batch) { (row) throws(RecordFailure) in
            defer { index += 1 }
            switch answers[index] {
            case .answer(let line):
                let start = bytes.count
                guard start + line.count <= Self.mostAnswerBytes else {
                    throw RecordFailure(code: "exec.protocol", message: "the answers to one batch exceed 1 GiB")
                }
                line.withUnsafeBufferPointer { bytes.append($0) }
                guard answersMany else {
                    frames.append(Frame(start: UInt32(start), count: UInt32(line.count), lineDelta: 0))
                    return true
                }
                for part in line.split(separator: UInt8(ascii: "\n")) {
                    frames.append(Frame(start: UInt32(start + part.startIndex), count: UInt32(part.count), lineDelta: 0))
                    origins.append(UInt32(row))
                }
                return !line.isEmpty
            case .failed(let code, let message, let attempts):
                throw RecordFailure(code: code, message: message, attempts: attempts)
            }
        }
        try site.rebase(batch, onto: bytes, frames, origins: answersMany ? origins : nil, decodedBy: next) { found in
            RecordFailure(code: "exec.protocol", message: "the answer is not a JSON object: \(found.message)")
        }
    }

    /// The outcomes of the batch's rows, in order.
    ///
    /// - Throws: ``RunError`` if the limit of dead letters is exceeded; ``Abandoned`` if the run
    ///   ended before all records had an answer.
    private func ask(_ batch: RecordBatch) async throws -> [ExecOutcome] {
        let requests = batch.rows.map { site.fields.json(Int($0), of: batch).withFilled(Array.init) }
        let children = children
        let outcomes = try await withThrowingTaskGroup(of: (Int, ExecOutcome).self) { group in
            var outcomes: [ExecOutcome?] = Array(repeating: nil, count: requests.count)
            var pending = 0
            for (index, request) in requests.enumerated() {
                // Enough to keep every child busy.
                while pending >= 2 * children.bounds.upperBound, let (done, outcome) = try await group.next() {
                    outcomes[done] = try looked(at: outcome)
                    pending -= 1
                }
                group.addTask { (index, await children.answer(request)) }
                pending += 1
            }
            for try await (done, outcome) in group { outcomes[done] = try looked(at: outcome) }
            return outcomes.compactMap(\.self)
        }
        guard outcomes.count < requests.count else { return outcomes }
        if let error = limit?.exceeded { throw error }
        throw Abandoned()
    }

    /// Counts a failure. If it is one too many, no further attempt begins, and none is waited for.
    ///
    /// - Returns: `nil` if the attempts at the record were broken off.
    private func looked(at outcome: ExecOutcome) throws(RunError) -> ExecOutcome? {
        guard case .failed(let code, _, _) = outcome else {
            limit?.pass()
            return outcome
        }
        guard code != ChildFailure.Code.cancelled.rawValue else { return nil }
        do throws(RunError) {
            try limit?.fail()
        } catch {
            children.drain()
            throw error
        }
        return outcome
    }
}

extension Records {
    /// Sends each record to a child process as one JSON line, and replaces it by the answer, one
    /// JSON line. See docs/exec.md.
    ///
    /// - Parameters:
    ///   - command: a path, or a name to look up in `PATH`, followed by the arguments.
    ///   - answers: how many lines answer a record.
    ///   - workers: the number of processes.
    ///   - timeout: the limit for each attempt. Without one, a process that hangs blocks the run.
    ///   - startTimeout: the limit for the first answer of a new process, if longer than `timeout`.
    ///   - retry: further attempts at a record that failed.
    public func exec(
        _ command: [String], answers: AnswerLines = .one, name: String? = nil, workers: Concurrency = 1, timeout: Duration? = nil,
        startTimeout: Duration? = nil, retry: RetryPolicy? = nil, onError: FailurePolicy = .deadLetter
    ) -> Records {
        let pool = PoolOptions(workers: workers.range, timeout: timeout, retry: retry)
        return adding(
            Exec.self, name, pool: pool, onError: onError,
            options: { script in
                var options = ["answers": script.argument(answers.rawValue)]
                options["start_timeout"] = startTimeout.map { .duration($0, script.place) }
                return Arguments(options, at: script.place)
            }
        ) { $0.argument(command) }
    }

    /// How many lines of a child process answer a record.
    public enum AnswerLines: String, Sendable {
        /// A single line.
        case one
        /// Any number of lines, followed by an empty one.
        case many
    }
}
