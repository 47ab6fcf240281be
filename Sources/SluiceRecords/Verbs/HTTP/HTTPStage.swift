import Sluice
import SluiceCEL

/// The requests of `http` during a run.
struct HTTPStep: EachStep {
    /// The time limit of an attempt, where the stage has none.
    static let standardTimeout = Duration.seconds(30)

    private let template: HTTPTemplate
    private let targets: HTTPTargets
    private let pool: HTTPPool
    private let workers: ClosedRange<Int>
    private let limit: DeadLetterLimit?
    private let mostAnswerBytes: Int

    init(_ template: HTTPTemplate, _ targets: HTTPTargets, _ options: HTTPOptions, _ stage: RecordStage) {
        self.template = template
        self.targets = targets
        workers = stage.pool.workers ?? 1...8
        limit = stage.onError == .deadLetter ? stage.room.deadLetters : nil
        mostAnswerBytes = stage.room.additions
        pool = HTTPPool(
            name: stage.name,
            HTTPLoop.Configuration(
                options: options, keepsBody: targets.needsBody, workers: workers.upperBound, timeout: stage.pool.timeout ?? Self.standardTimeout,
                secrets: template.secrets),
            leastWorkers: workers.lowerBound, retry: stage.pool.retry)
    }

    func bind(_ site: StageSite, _ binder: inout StageBinder) -> any EachStage {
        var site = site
        // The requests have the time limit, each attempt for itself.
        site.timeout = nil
        let bound = template.bound(in: binder.fields)
        var columns = HTTPColumns()
        for (name, column) in [
            (targets.json, \HTTPColumns.json), (targets.text, \.text), (targets.status, \.status), (targets.headers, \.headers),
        ] {
            guard let name else { continue }
            let new = binder.newColumn()
            binder.shape.set(name, column: new)
            columns[keyPath: column] = new
        }
        return HTTPStage(
            site: site, template: bound, columns: columns, pool: pool, limit: limit, mostAnswerBytes: mostAnswerBytes)
    }

    func begin() -> Bool { pool.begin() }

    func drain() { pool.drain() }

    func end() async { await pool.shutdown() }

    /// Two, so that the server has work while the answers of one batch are taken in.
    func batches(_ pool: PoolOptions, threads: Int) -> ClosedRange<Int> { 1...2 }

    var ownWorkers: OwnWorkers? { pool.ownWorkers }

    var allowedWorkers: ClosedRange<Int>? { OwnWorkers.allowed(beside: workers) }

    func resize(to workers: Int) { pool.resize(to: workers) }
}

/// The columns for the parts of an answer.
struct HTTPColumns: Sendable {
    var json: Int?
    var text: Int?
    var status: Int?
    var headers: Int?

    /// Whether an answer leaves more in the record than its status.
    var takeAnswer: Bool { json != nil || text != nil || headers != nil }
}

/// `http`, bound to one place.
struct HTTPStage: EachStage {
    let site: StageSite
    let template: HTTPTemplate.Bound
    let columns: HTTPColumns
    let pool: HTTPPool
    /// Checked for each record that fails, because a batch may take long.
    let limit: DeadLetterLimit?
    /// The limit for the bodies and headers of the answers to one batch.
    let mostAnswerBytes: Int

    func run(_ batch: RecordBatch) async throws {
        var outcomes = try await ask(batch)
        let buffer = ByteBuffer(capacity: 4096)
        var index = 0
        try site.sift(batch) { (row) throws(RecordFailure) in
            defer {
                outcomes[index] = nil
                index += 1
            }
            switch outcomes[index] {
            case .failure(let failure)?: throw failure
            case .success(let answer)?:
                try take(answer, row, of: batch, buffer)
                return true
            case nil: preconditionFailure("a record has no answer, and no reason why")
            }
        }
    }

    private var overflow: RecordFailure {
        let size = mostAnswerBytes < 1 << 20 ? "\(mostAnswerBytes) bytes" : "\(mostAnswerBytes >> 20) MiB"
        return RecordFailure(
            code: HTTPFailure.Code.tooLong.rawValue, message: "the answers to the records of one batch exceed \(size), an eighth of limits.memory")
    }

    private func take(_ answer: HTTPAnswer, _ row: Int, of batch: RecordBatch, _ buffer: ByteBuffer) throws(RecordFailure) {
        let cells = batch.table.row(row)
        if let column = columns.json { cells[column] = try answer.json(buffer, batch.scratch) }
        if let column = columns.text { cells[column] = try answer.text(batch.scratch) }
        if let column = columns.status { cells[column] = .int(Int64(answer.status)) }
        if let column = columns.headers { cells[column] = answer.headers(buffer, batch.scratch) }
    }

    /// The answers to the batch's rows, in order, or why a record has none.
    ///
    /// - Throws: ``RunError`` if the limit of dead letters is exceeded; ``Abandoned`` if the run
    ///   ended before all records had an answer.
    private func ask(_ batch: RecordBatch) async throws -> [Result<HTTPAnswer, RecordFailure>?] {
        let requests = template.requests(for: batch)
        let pool = pool
        var wasAbandoned = false
        let outcomes = try await withThrowingTaskGroup(of: (Int, HTTPOutcome).self) { group in
            var outcomes: [Result<HTTPAnswer, RecordFailure>?] = Array(repeating: nil, count: requests.count)
            var budget = AnswerBudget(mostAnswerBytes, records: requests.count)
            func take(_ index: Int, _ outcome: HTTPOutcome) throws(RunError) {
                outcomes[index] = try looked(at: outcome)
                if outcomes[index] == nil { wasAbandoned = true }
                guard columns.takeAnswer, case .success(let answer)? = outcomes[index] else { return }
                for index in budget.add(answer.byteCount, index) {
                    if case .success? = outcomes[index] { outcomes[index] = .failure(overflow) }
                }
            }
            var pending = 0
            for (index, request) in requests.enumerated() {
                switch request {
                case .failure(let failure):
                    outcomes[index] = .failure(failure)
                    try failed()
                case .success(let request):
                    // Enough to keep every worker busy.
                    while pending >= 2 * pool.bounds.upperBound, let (done, outcome) = try await group.next() {
                        try take(done, outcome)
                        pending -= 1
                    }
                    group.addTask { (index, await pool.answer(request)) }
                    pending += 1
                }
            }
            for try await (done, outcome) in group { try take(done, outcome) }
            return outcomes
        }
        if wasAbandoned {
            if let error = limit?.exceeded { throw error }
            throw Abandoned()
        }
        return outcomes
    }

    /// - Returns: `nil` if the request was abandoned.
    private func looked(at outcome: HTTPOutcome) throws(RunError) -> Result<HTTPAnswer, RecordFailure>? {
        switch outcome {
        case .answer(let answer):
            limit?.pass()
            return .success(answer)
        case .failed(let failure, let attempts):
            try failed()
            return .failure(RecordFailure(code: failure.code.rawValue, message: failure.message, attempts: attempts))
        case .abandoned:
            return nil
        }
    }

    /// Counts a failure. If it is one too many, no further request begins, and none is waited for.
    private func failed() throws(RunError) {
        do throws(RunError) {
            try limit?.fail()
        } catch {
            pool.drain(grace: .zero)
            throw error
        }
    }
}

extension HTTPAnswer {
    /// The body as a value; null if the status says that there is none.
    func json(_ buffer: ByteBuffer, _ scratch: Scratch) throws(RecordFailure) -> Cell {
        if body.isEmpty {
            guard status == 204 || status == 205 else { throw Self.failure(.json, "the answer is empty, not JSON") }
            return .null
        }
        buffer.count = 0
        body.withUnsafeBufferPointer { buffer.append($0) }
        // A number is scanned as far as digits go, so that none may follow it.
        buffer.append(0)
        let text = JSONMembers.trimmed(Self.withoutMark(UnsafeBufferPointer(rebasing: buffer.filled.dropLast())))
        guard let start = text.baseAddress, !text.isEmpty else { throw Self.failure(.json, "the answer is blank, not JSON") }
        let end = start + text.count
        do throws(JSONFault) {
            let close = try JSONScan.value(start, end, level: 0)
            guard close <= end else { throw JSONFault(.value, at: end) }
            guard close == end else { throw JSONFault(.end, at: close) }
            let line = ByteBuffer(capacity: text.count)
            JSONText.appendCompact(text, to: line)
            line.append(0)
            let kept = line.withFilled { scratch.text.copy($0) }
            var cell = Cell.null
            _ = try JSONValue.read(kept, kept + line.count - 1, scratch.text, into: &cell)
            return cell
        } catch {
            throw Self.failure(.json, "the answer is not JSON: \(error.message(in: text))")
        }
    }

    /// The body as text.
    func text(_ scratch: Scratch) throws(RecordFailure) -> Cell {
        try body.withUnsafeBufferPointer { (bytes) throws(RecordFailure) in
            var check = UTF8Check()
            check.take(bytes)
            guard check.isValid else { throw Self.failure(.text, "the answer is not UTF-8") }
            return scratch.text(copying: Self.withoutMark(bytes))
        }
    }

    /// The headers as a map; the values of a name that occurs several times are joined by commas.
    func headers(_ buffer: ByteBuffer, _ scratch: Scratch) -> Cell {
        buffer.count = 0
        var object = JSONObjectWriter(buffer)
        var written: Set<String> = []
        for (name, _) in headers where written.insert(name).inserted {
            let value = headers.filter { $0.name == name }.map(\.value).joined(separator: ", ")
            object.write(name, scratch.text(copying: value), scratch)
        }
        object.end()
        return scratch.text(.json, copying: buffer.filled)
    }

    /// The text without a byte order mark at its beginning.
    private static func withoutMark(_ text: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8> {
        guard text.count >= 3, text[0] == 0xEF, text[1] == 0xBB, text[2] == 0xBF else { return text }
        return UnsafeBufferPointer(rebasing: text[3...])
    }

    private static func failure(_ code: HTTPFailure.Code, _ message: String) -> RecordFailure {
        RecordFailure(code: code.rawValue, message: message)
    }
}
