import Sluice

/// What every stage knows about itself: its place in the pipeline and the fields that reach it.
package struct StageSite: Sendable {
    /// Its place in the books; 0 is the source.
    var index: Int
    var name: String
    var policy: FailurePolicy
    /// The longest that one record may take. A computation is not interrupted, since its cost limit
    /// bounds it: a record that took longer fails afterwards.
    var timeout: Duration?
    /// The fields that reach the stage.
    var fields: RecordFields
    /// Whether the run may end once the stage has enough records.
    var mayEndRun = false

    /// Handles a failed record as the policy says. The caller removes it from `batch.rows`.
    func fail(_ row: Int, of batch: RecordBatch, with failure: RecordFailure) throws(RunError) {
        switch policy {
        case .deadLetter:
            batch.counts[index].dead += 1
            batch.note(.dead, row, at: index)
            batch.refuse(row, at: name, with: failure, record: fields.json(row, of: batch).trimmed())
        case .drop:
            batch.counts[index].dropped += 1
            batch.note(.dropped, row, at: index)
        case .stop:
            let position = batch.position(ofRow: row)
            throw .stopped(
                stage: name, code: failure.code, message: failure.message, file: fields.name(of: batch)?.text ?? "-",
                line: position?.line ?? 0)
        }
    }
}

extension StageSite {
    /// Removes the rows for which `passes` returns false; those for which it throws fail as the
    /// policy says. Counts nothing but failures.
    @inline(__always)
    func keep(in batch: RecordBatch, _ passes: (Int) throws(RecordFailure) -> Bool) throws(RunError) {
        guard let timeout else { return try keepRows(of: batch, passes) }
        try keepRows(of: batch) { (row) throws(RecordFailure) in
            let start = ContinuousClock.now
            let isKept = try passes(row)
            let elapsed = ContinuousClock.now - start
            guard elapsed <= timeout else {
                batch.timeouts[index] += 1
                throw RecordFailure(code: "timeout", message: "took \(elapsed), longer than \(timeout)")
            }
            return isKept
        }
    }

    @inline(__always)
    private func keepRows(of batch: RecordBatch, _ passes: (Int) throws(RecordFailure) -> Bool) throws(RunError) {
        var rows = batch.rows
        batch.rows = []
        var kept = 0
        for index in rows.indices {
            let row = rows[index]
            do throws(RecordFailure) {
                guard try passes(Int(row)) else {
                    batch.note(.filtered, Int(row), at: self.index)
                    continue
                }
                rows[kept] = row
                kept += 1
            } catch {
                try fail(Int(row), of: batch, with: error)
            }
        }
        rows.removeSubrange(kept...)
        batch.rows = rows
    }

    /// As ``keep(in:_:)``, and counts the records in, out and filtered.
    @inline(__always)
    func sift(_ batch: RecordBatch, _ passes: (Int) throws(RecordFailure) -> Bool) throws(RunError) {
        let received = batch.rows.count
        try keep(in: batch, passes)
        let passed = batch.rows.count
        let lost = batch.counts[index].dead + batch.counts[index].dropped
        batch.counts[index].in += received
        batch.counts[index].out += passed
        batch.counts[index].filtered += received - passed - lost
    }

    /// Gives the batch's rows new bytes and decodes them; those that cannot be decoded fail in this
    /// stage.
    ///
    /// - Parameter origins: for each frame, the row that it was made from, ascending; by default
    ///   one frame for each remaining row. Further frames of the same row are counted as added.
    ///   Frames of a row that has failed in the meantime are left out.
    func rebase(
        _ batch: RecordBatch, onto bytes: ByteBuffer, _ frames: [Frame], origins: [UInt32]? = nil, decodedBy next: BoundSegment?,
        failure: (RowTable.Failure) -> RecordFailure
    ) throws(RunError) {
        guard let next else { preconditionFailure("a stage that produces new bytes is followed by a segment") }
        let table = next.decoding.decode(frames, of: bytes.start)
        let origins = origins ?? batch.rows
        let gone = timeout == nil ? [] : Self.frames(of: origins, without: batch.rows)
        countAdded(origins, except: gone, in: batch)
        var failures: [Int: RecordFailure] = [:]
        for found in table.failures { failures[found.row] = failure(found) }
        for (row, outcome) in table.outcomes.enumerated() where outcome == .blank {
            failures[row] = failure(RowTable.Failure(row: row, code: "parse.jsonl", message: "expected a JSON object, found nothing"))
        }
        for (row, failure) in failures.sorted(by: { $0.key < $1.key }) where !gone.contains(row) {
            batch.counts[index].out -= 1
            try fail(Int(origins[row]), of: batch, with: failure)
        }
        batch.rebase(onto: bytes, frames: frames, origins: origins, table: table, in: next)
        if !failures.isEmpty || !gone.isEmpty { batch.rows.removeAll { failures[Int($0)] != nil || gone.contains(Int($0)) } }
    }

    /// Counts the additional frames of rows that became several.
    private func countAdded(_ origins: [UInt32], except gone: Swift.Set<Int>, in batch: RecordBatch) {
        var frame = 0
        while frame < origins.count {
            let first = frame
            while frame < origins.count, origins[frame] == origins[first] { frame += 1 }
            guard frame - first > 1, !gone.contains(first) else { continue }
            batch.counts[index].added += frame - first - 1
            batch.counts[index].out += frame - first - 1
            batch.note(.added, Int(origins[first]), at: index, count: frame - first - 1)
        }
    }

    /// The frames whose row is not in `rows`; both are ascending.
    private static func frames(of origins: [UInt32], without rows: [UInt32]) -> Swift.Set<Int> {
        var gone: Swift.Set<Int> = []
        var place = 0
        for (frame, origin) in origins.enumerated() {
            while place < rows.count, rows[place] < origin { place += 1 }
            if place == rows.count || rows[place] != origin { gone.insert(frame) }
        }
        return gone
    }
}
