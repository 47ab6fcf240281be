import Sluice
import Synchronization

/// The counters behind ``RecordRun/progress``.
final class ProgressMeter: Sendable {
    private struct State {
        var progress = RunProgress()
        /// For each input, the number of its bytes that were consumed.
        var compressed: [UInt64]
        /// For each place in the ledger, the records that were passed on.
        var out: [Int]
        var written = 0
    }

    private let state: Locked<State>

    /// - Parameter places: the number of places in the ledger.
    init(inputs: [InputFile], places: Int) {
        var progress = RunProgress()
        let sizes = inputs.map(\.size)
        if !sizes.contains(nil) { progress.compressedTotal = sizes.compactMap(\.self).reduce(0, +) }
        state = Locked(State(progress: progress, compressed: Array(repeating: 0, count: inputs.count), out: Array(repeating: 0, count: places)))
    }

    var now: RunProgress { state.withLock { $0.progress } }

    /// The records that were written, and for each place in the ledger, those that were passed on.
    var passed: (written: Int, out: [Int]) { state.withLock { ($0.written, $0.out) } }

    /// Restores the counters of an unfinished run.
    func restore(_ ledger: Ledger, inputs: Int, summaries: [InputSummary]) {
        state.withLock { state in
            state.progress.records = ledger.records.read
            state.progress.deadLetters = ledger.records.dead
            state.written = ledger.records.written
            for (index, stage) in ledger.books.stages.enumerated() { state.out[index] = stage.counts.out }
            state.progress.textBytes = summaries.reduce(0) { $0 + $1.textBytes } + (ledger.end?.position.offset ?? 0)
            for (index, summary) in summaries.enumerated() { state.compressed[index] = summary.bytes }
            if let end = ledger.end, end.input >= summaries.count { state.compressed[end.input] = end.compressedBytes }
            state.progress.compressedBytes = state.compressed.reduce(0, +)
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
            for (index, counts) in batch.counts.enumerated() { state.out[index] += counts.out }
            state.written += batch.outputs.reduce(0) { $0 + $1.records }
            guard let input = batch.input else { return }
            let more = max(batch.compressedBytes, state.compressed[input]) - state.compressed[input]
            state.compressed[input] += more
            state.progress.compressedBytes += more
        }
    }
}
