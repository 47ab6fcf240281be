import SluiceCEL

/// `exec`: each record goes to a child process as one JSON line, and its answer takes the record's place.
struct ExecStage: BatchStage {
    let site: StageSite
    private let children: ExecPool
    private let workers: ClosedRange<Int>
    /// Records of one batch that are asked for at once: enough to keep every child busy.
    private let window: Int
    private let next: Decoding?
    /// Of one batch: far more than it had, and well within the 4 GiB that a frame can point into.
    private static let mostAnswerBytes = 1 << 30

    init(site: StageSite, command: [String], pool: PoolOptions, next: Decoding?) {
        self.site = site
        workers = pool.workers ?? 1...1
        children = ExecPool(name: site.name, command: command, workers: workers, timeout: pool.timeout, retry: pool.retry)
        window = 2 * workers.upperBound
        self.next = next
    }

    func run(_ batch: RecordBatch) async throws {
        let answers = await ask(batch)
        let bytes = ByteBuffer(capacity: Batch.targetBytes)
        var frames: [Frame] = []
        var index = 0
        try site.sift(batch) { (row) throws(RecordFailure) in
            defer { index += 1 }
            switch answers[index] {
            case .answer(let line):
                let start = bytes.count
                guard start + line.count <= Self.mostAnswerBytes else {
                    throw RecordFailure(code: "exec.protocol", message: "the answers to one batch of records take more than 1 GiB")
                }
                line.withUnsafeBufferPointer { bytes.append($0) }
                frames.append(Frame(start: UInt32(start), count: UInt32(line.count), lineDelta: 0))
                return true
            case .failed(let code, let message, let attempts):
                throw RecordFailure(code: code, message: message, attempts: attempts)
            }
        }
        try rebase(batch, onto: bytes, frames, decodedBy: next) { found in
            RecordFailure(code: "exec.protocol", message: "the answer is not a JSON object: \(found.message)")
        }
    }

    func end() async {
        await children.shutdown()
    }

    /// Two, so that the children have work while one batch is put together again.
    func batches(_ pool: PoolOptions, threads: Int) -> ClosedRange<Int> { 1...2 }

    var ownWorkers: OwnWorkers? {
        let counters = children.counters
        return OwnWorkers(
            range: workers, peak: counters.peakChildren, retries: counters.retries, timeouts: counters.timeouts, busy: counters.busy)
    }

    /// The outcome of each of the batch's rows, in their order. At most `window` records are out at once.
    private func ask(_ batch: RecordBatch) async -> [ExecOutcome] {
        let requests = batch.rows.map { site.fields.json(Int($0), of: batch).withFilled(Array.init) }
        let children = children
        return await withTaskGroup(of: (Int, ExecOutcome).self) { group in
            var outcomes: [ExecOutcome?] = Array(repeating: nil, count: requests.count)
            for (index, request) in requests.enumerated() {
                if index >= window, let (done, outcome) = await group.next() { outcomes[done] = outcome }
                group.addTask { (index, await children.answer(request)) }
            }
            for await (done, outcome) in group { outcomes[done] = outcome }
            return outcomes.compactMap(\.self)
        }
    }
}
