import Sluice
import SluiceCEL
import Synchronization

/// Decides when a run writes checkpoints, and writes them.
///
/// If there are stages that take batches in order, a batch to take a checkpoint after is chosen
/// when it is read, and each of these attaches a copy of its state to it, so that everything is
/// known once it is committed. Otherwise it is chosen as it is committed, since half a minute may
/// be between the two. The choice depends on the clock, but the outputs do not.
final class Checkpointing: Sendable {

    private let file: StateFile
    private let run: String
    private let definition: String
    private let secrets: [String]
    private let libraries: RunReport.Libraries
    private let files: [InputFile]
    private let interval: Duration
    private let folder: StageFolder
    private let choosesWhenRead: Bool
    private let state: Locked<State>

    private struct State {
        /// The time when the last one was written.
        var last = ContinuousClock.now
        var pause: Duration
        /// Whether a chosen batch is in flight.
        var isChosen = false
        /// The stamps of all inputs, computed on demand; empty if one could not be read.
        var stamps: [InputStamp]?
        /// Whether the run could be resumed if it were killed now.
        var isWritten: Bool
    }

    /// - Parameters:
    ///   - folder: the spill files of the stages.
    ///   - choosesWhenRead: whether batches have states attached to them before they are committed.
    ///   - isResumed: whether there is a checkpoint already.
    init(
        _ file: StateFile, run: String, _ pipeline: RecordPipeline, _ folder: StageFolder, choosesWhenRead: Bool, interval: Duration, isResumed: Bool
    ) {
        self.file = file
        self.folder = folder
        self.run = run
        definition = pipeline.definition
        secrets = pipeline.secretProofs
        libraries = RunReport.Libraries(pipeline)
        files = pipeline.filesRead
        self.interval = interval
        self.choosesWhenRead = choosesWhenRead
        state = Locked(State(pause: interval, isWritten: isResumed))
    }

    /// Whether to take a checkpoint after a batch that was just read, once it is committed.
    func wantsRead() -> Bool { choosesWhenRead && wants() }

    /// Whether to take a checkpoint after a batch that was just committed.
    func wantsCommitted() -> Bool { !choosesWhenRead && wants() }

    private func wants() -> Bool {
        state.withLock { state in
            guard interval > .zero else { return true }
            guard !state.isChosen, ContinuousClock.now - state.last >= state.pause else { return false }
            state.isChosen = true
            return true
        }
    }

    /// Whether the run could be resumed if it were killed now.
    var isWritten: Bool { state.withLock { $0.isWritten } }

    /// - Parameters:
    ///   - reader: the state of the reader of the cut's input; `nil` if reading can only begin at
    ///     the input's start.
    ///   - summaries: of the inputs before the cut, as far as they are known.
    ///   - closing: returns the states of the closing stages; `nil` if one returns its results
    ///     already.
    ///   - take: returns the state of the sinks, after syncing their bytes to disk.
    /// - Returns: false if no checkpoint was written: an input is no longer readable, or a closing
    ///   stage returns its results.
    func write(
        at cut: Checkpoint.Cut, _ reader: ReaderState?, summaries: [InputSummary], ledger: LedgerState, steps: [Checkpoint.StepState],
        closing: () throws(RunError) -> [Checkpoint.ClosingState]?,
        _ take: () throws(OutputError) -> (sinks: [SinkCheckpoint], deadLetters: SinkCheckpoint)
    ) throws(RunError) -> Bool {
        let start = ContinuousClock.now
        defer { state.withLock { $0.isChosen = false } }
        guard summaries.count == cut.input, let stamps = known(), let closing = try closing() else { return false }
        let held = (steps + closing.map(\.step)).flatMap(\.held)
        for file in held { try file.sync() }
        if !held.isEmpty { folder.sync() }
        do throws(OutputError) {
            let (sinks, deadLetters) = try take()
            try file.write(
                Checkpoint(
                    run: run, definition: definition, secrets: secrets.isEmpty ? nil : secrets, libraries: libraries, inputs: stamps, cut: cut,
                    reader: reader, summaries: summaries, ledger: ledger, steps: steps, closing: closing, sinks: sinks, deadLetters: deadLetters))
        } catch {
            throw .output(error)
        }
        folder.mark(held)
        state.withLock { state in
            state.isWritten = true
            state.last = ContinuousClock.now
            state.pause = max(interval, Self.pause(after: state.last - start))
        }
        return true
    }

    /// Checkpoints take at most a hundredth of the time, but no more than half a minute of work is
    /// lost to a kill, unless they would take more than a twentieth then.
    static func pause(after taken: Duration) -> Duration { min(taken * 100, max(.seconds(30), taken * 20)) }

    private func known() -> [InputStamp]? {
        state.withLock { state in
            if state.stamps == nil { state.stamps = Self.stamps(of: files) ?? [] }
            return state.stamps?.count == files.count ? state.stamps : nil
        }
    }

    /// Whether a run of the pipeline can be resumed.
    ///
    /// - Returns: false if an input is not a regular file, an output is not a file that is renamed
    ///   into place at the end, records are not committed in input order, a limit cuts the inputs
    ///   short, or dead letters are replayed: which of them are dealt with is in no checkpoint.
    static func canResume(_ pipeline: RecordPipeline, _ plan: Plan, limit: Int?) -> Bool {
        guard limit == nil, pipeline.deadLetterSink == nil, pipeline.source.replay == nil, !plan.isUnordered else { return false }
        guard pipeline.sinks.allSatisfy({ $0.sink is FileSink }), pipeline.source.source is FileSource else { return false }
        let files = pipeline.sinks.compactMap { sink in sink.sink.path.constant.map { sink.sink.first(of: $0) } } + [pipeline.deadLetters]
        return files.allSatisfy { if case .file(size: nil) = PathKind.of($0) { false } else { true } }
            && pipeline.source.inputs.allSatisfy { input in
                if Address.isAddress(input.path) { return true }
                if case .file(size: _?) = PathKind.of(input.path) { return !input.isStandardInput }
                return false
            }
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
