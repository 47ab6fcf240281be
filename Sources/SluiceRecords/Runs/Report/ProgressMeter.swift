import Sluice
import Synchronization

/// The counters behind ``RecordRun/progress``, and the books of what is committed so far.
final class ProgressMeter: Sendable {
    /// What became of the records so far.
    struct Books: Sendable {
        /// One for each place in the ledger.
        var counts: [StageCounts]
        var written = 0
        /// Dead letters by code, and the first of each.
        var codes: [String: Int] = [:]
        var firsts: [String: LedgerState.First] = [:]
        var damage = DamageSoFar()
    }

    private struct State {
        var progress = RunProgress()
        let inputs: [InputFile]
        /// For each input, the number of its bytes that were consumed.
        var compressed: [UInt64]
        var books: Books
        var read: ReadShare?
        /// The place of the last stage that returns all its records once everything is read.
        var returning: Int?
        /// The counts that an earlier process had committed.
        var restored: [StageCounts]?

        var share: Double? { returning.map { read?.share(returning: books.counts[$0]) } ?? read?.share }
    }

    private let state: Locked<State>
    /// For each place in the ledger, the records that it has passed on in this process, whether
    /// they are committed or not.
    private let counters: Locked<[Int]>

    /// - Parameters:
    ///   - places: the number of places in the ledger.
    ///   - returning: the place of the last stage that returns all its records once everything is
    ///     read, if there is one.
    init(inputs: [InputFile], places: Int, returning: Int? = nil) {
        var progress = RunProgress()
        let sizes = inputs.map(\.size)
        if !sizes.contains(nil) { progress.compressedTotal = sizes.compactMap(\.self).reduce(0, +) }
        let books = Books(counts: Array(repeating: StageCounts(), count: places))
        counters = Locked(Array(repeating: 0, count: places))
        let compressed = [UInt64](repeating: 0, count: inputs.count)
        state = Locked(
            State(
                progress: progress, inputs: inputs, compressed: compressed, books: books, read: ReadShare(inputs), returning: returning))
    }

    /// - Parameter texts: for each input, the text that it is expected to hold.
    func expect(_ texts: [UInt64?]) {
        state.withLock { state in
            state.read?.expect(texts, consumed: state.compressed)
            state.progress.share = state.share
        }
    }

    /// Counts records that a place has passed on, before they are committed.
    func pass(_ records: Int, at place: Int) { counters.withLock { $0[place] += records } }

    /// For each place, the records that it has passed on in the whole run: those in the books, and
    /// what is not committed yet.
    ///
    /// - Parameter finished: the records that stages with workers of their own have finished in
    ///   this process, by their places. A batch is passed on when all of its records are finished.
    func passed(_ books: Books, finished: [(place: Int, records: Int)]) -> [Int] {
        let (counted, restored) = (counters.withLock { $0 }, state.withLock { $0.restored })
        var all = books.counts.indices.map { max(books.counts[$0].out, counted[$0] + (restored?[$0].out ?? 0)) }
        for (place, records) in finished {
            let committed = books.counts[place].in - (restored?[place].in ?? 0)
            all[place] = max(all[place], books.counts[place].out + records - committed)
        }
        return all
    }

    /// Of one moment.
    var all: (progress: RunProgress, books: Books) { state.withLock { ($0.progress, $0.books) } }

    /// Of one moment, with what stages with workers of their own have finished before it is
    /// committed.
    ///
    /// - Parameter finished: for each of these stages its place, and the records that it has
    ///   finished in this process.
    func all(finished: [(place: Int, records: Int)]) -> (progress: RunProgress, books: Books) {
        let (now, books) = all
        guard !finished.isEmpty else { return (now, books) }
        var progress = now
        let restored = state.withLock { $0.restored }
        let stages = finished.map { stage in
            let committed = books.counts[stage.place].in
            return (committed: committed, finished: max(committed, stage.records + (restored?[stage.place].in ?? 0)))
        }
        progress.inStages = stages.map { $0.finished - $0.committed }.max() ?? 0
        let read = (committed: books.counts[0].out, finished: passed(books, finished: [])[0])
        progress.share = progress.share.map { Self.share($0, read: read, stages: stages) }
        return (progress, books)
    }

    /// How much of the input is done if stages have finished more records than are committed. Their
    /// batches take long and are committed in the order of the input, so what is committed grows in
    /// leaps, and is far behind.
    ///
    /// - Parameters:
    ///   - share: what is committed.
    ///   - read: the records that the source has passed on; no more can be done.
    ///   - stages: the records of these stages. What the last of them has finished is done.
    static func share(_ share: Double, read: (committed: Int, finished: Int), stages: [(committed: Int, finished: Int)]) -> Double {
        let growths = (stages + [read]).filter { $0.committed > 0 }.map { Double($0.finished) / Double($0.committed) }
        // All of it is done only when it is committed.
        return max(share, min(0.999, share * (growths.min() ?? 1)))
    }

    /// Restores the counters of an unfinished run.
    func restore(_ ledger: Ledger, inputs: Int, summaries: [InputSummary]) {
        state.withLock { state in
            state.progress.records = ledger.records.read
            state.progress.deadLetters = ledger.records.dead
            state.books.counts = ledger.books.stages.map(\.counts)
            state.restored = state.books.counts
            state.books.written = ledger.records.written
            (state.books.codes, state.books.firsts) = (ledger.codes, ledger.firsts)
            for (counts, input) in zip(ledger.inputs, state.inputs) {
                for damage in counts.damage { state.books.damage.add(damage, of: input.path) }
            }
            state.progress.textBytes = summaries.reduce(0) { $0 + $1.textBytes } + (ledger.end?.position.offset ?? 0)
            state.progress.restoredTextBytes = state.progress.textBytes
            for (index, summary) in summaries.enumerated() { state.compressed[index] = summary.bytes }
            if let end = ledger.end, end.input >= summaries.count { state.compressed[end.input] = end.compressedBytes }
            state.progress.compressedBytes = state.compressed.reduce(0, +)
            for (index, bytes) in state.compressed.enumerated() { state.read?.consume(bytes, of: index) }
            state.progress.share = state.share
        }
    }

    func drain() {
        state.withLock { $0.progress.isDraining = true }
    }

    func committed(_ batch: EncodedBatch) {
        state.withLock { state in
            state.progress.records += batch.counts.first?.in ?? 0
            state.progress.textBytes += batch.textBytes
            state.progress.deadLetters += batch.counts.reduce(0) { $0 + $1.dead }
            for (index, counts) in batch.counts.enumerated() { state.books.counts[index] += counts }
            state.books.written += batch.outputs.reduce(0) { $0 + $1.records }
            state.books.codes.merge(batch.codes, uniquingKeysWith: +)
            for (code, failure) in batch.firsts where state.books.firsts[code] == nil {
                state.books.firsts[code] = LedgerState.First(input: batch.input, failure: failure)
            }
            defer { state.progress.share = state.share }
            guard let input = batch.input else { return }
            let path = state.inputs[input].path
            for damage in batch.damage { state.books.damage.add(damage, of: path) }
            let more = max(batch.compressedBytes, state.compressed[input]) - state.compressed[input]
            state.compressed[input] += more
            state.progress.compressedBytes += more
            state.read?.consume(more, of: input)
        }
    }
}
