import Sluice
import SluiceCEL
import Synchronization

/// When a run writes checkpoints, and where.
///
/// A batch after which a checkpoint is taken is chosen when it is read: each ordered stage leaves a
/// copy of its state with it, and once it is committed, all is known. Which batches are chosen
/// depends on the clock; nothing that is written to the outputs does.
final class Checkpointing: Sendable {

    private let file: StateFile
    private let run: String
    private let definition: String
    private let libraries: RunReport.Libraries
    private let files: [InputFile]
    private let interval: Duration
    private let state: Locked<State>

    private struct State {
        /// When the last one was written.
        var last = ContinuousClock.now
        var pause: Duration
        /// A batch is on its way after which one will be taken.
        var isChosen = false
        /// Of all inputs, once they are needed; none where one could not be read.
        var stamps: [InputStamp]?
    }

    init(_ file: StateFile, run: String, _ pipeline: RecordPipeline, interval: Duration) {
        self.file = file
        self.run = run
        definition = pipeline.definition
        libraries = RunReport.Libraries(pipeline)
        files = pipeline.source.inputs
        self.interval = interval
        state = Locked(State(pause: interval))
    }

    /// Whether a checkpoint is to be taken after a batch that was just read.
    func wants() -> Bool {
        state.withLock { state in
            guard interval > .zero else { return true }
            guard !state.isChosen, ContinuousClock.now - state.last >= state.pause else { return false }
            state.isChosen = true
            return true
        }
    }

    /// - Parameters:
    ///   - take: fills in the state of the sinks, which brings their bytes to disk.
    func write(
        at cut: Checkpoint.Cut, summaries: [InputSummary], ledger: LedgerState, steps: [Checkpoint.StepState],
        _ take: () throws(OutputError) -> (sinks: [SinkCheckpoint], deadLetters: SinkCheckpoint)
    ) throws(OutputError) {
        let start = ContinuousClock.now
        guard let stamps = known() else { return }
        let (sinks, deadLetters) = try take()
        try file.write(
            Checkpoint(
                run: run, definition: definition, libraries: libraries, inputs: stamps, cut: cut, summaries: summaries, ledger: ledger,
                steps: steps, sinks: sinks, deadLetters: deadLetters))
        state.withLock { state in
            state.last = ContinuousClock.now
            // They take a hundredth of the time at most.
            state.pause = max(interval, (state.last - start) * 100)
            state.isChosen = false
        }
    }

    private func known() -> [InputStamp]? {
        state.withLock { state in
            if state.stamps == nil { state.stamps = Self.stamps(of: files) ?? [] }
            return state.stamps?.count == files.count ? state.stamps : nil
        }
    }

    /// Whether a pipeline can be resumed at all.
    ///
    /// - Returns: false where it can only begin anew: where an input is not a regular file, an output
    ///   is not a file that is put in its place at the end, records are not committed in their order
    ///   or a limit cuts the inputs short, or where a stage gives its records only when the input has
    ///   ended.
    static func canResume(_ pipeline: RecordPipeline, _ plan: Plan, limit: Int?) -> Bool {
        guard limit == nil, pipeline.deadLetterSink == nil, !plan.isUnordered, !plan.hasClosingStage else { return false }
        guard pipeline.sinks.allSatisfy({ $0.sink is FileSink }), pipeline.source.source is FileSource else { return false }
        let files = pipeline.sinks.compactMap(\.sink.path.constant) + [pipeline.deadLetters]
        return files.allSatisfy { if case .file(size: nil) = PathKind.of($0) { false } else { true } }
            && pipeline.source.inputs.allSatisfy { if case .file(size: _?) = PathKind.of($0.path) { !$0.isStandardInput } else { false } }
    }

    static func stamps(of files: [InputFile]) -> [InputStamp]? {
        var stamps: [InputStamp] = []
        for file in files {
            guard let stamp = InputStamp(file) else { return nil }
            stamps.append(stamp)
        }
        return stamps
    }
}
