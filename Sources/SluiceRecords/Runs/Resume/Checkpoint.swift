import FoundationEssentials
import Sluice
import SluiceCEL

/// Everything that is needed to resume a run after its process has died: how much of its inputs is
/// committed, the extent of its outputs, and the states of its stages at that position.
///
/// Nothing in it depends on the number of workers, so a run may be resumed with a different number.
struct Checkpoint: Codable, Sendable {
    /// To be increased when the layout or the meaning of a field changes.
    static let version = 8

    /// A position between two batches of an input.
    struct Cut: Codable, Sendable, Equatable {
        /// The index of the input; all inputs before it are committed.
        var input: Int
        /// The number of that input's batches that are committed.
        var batches: Int
    }

    /// The state of an ordered stage.
    struct StepState: Codable, Sendable {
        /// The stage's name, including its routes.
        var stage: String
        var state: StoredBytes
        /// The spill files that the state refers to.
        var files: [StageFile.Mark] = []
        /// Keeps the files while the checkpoint is being written.
        private(set) var held: [StageFile] = []

        private enum CodingKeys: CodingKey {
            case stage, state, files
        }

        init(stage: String, state: StageState) {
            self.stage = stage
            self.state = StoredBytes(Data(state.bytes))
            files = state.files.compactMap(\.mark)
            held = state.files
        }

        /// The state, with its files opened.
        func opened(in folder: StageFolder) throws(RunError) -> StageState {
            var opened: [StageFile] = []
            for mark in files { opened.append(try folder.openFile(mark)) }
            return StageState(bytes: state.withBytes(Array.init), files: opened)
        }
    }

    /// The state of a closing stage.
    struct ClosingState: Codable, Sendable {
        var step: StepState
        /// Batches after the cut that are in the state.
        var ahead: [ClosingIntake.Place]
    }

    var version = Checkpoint.version
    /// The identifier of the run, which ``Staging`` uses in file names.
    var run: String
    /// The digest of the definition with its parameters.
    var definition: String
    /// Digests of the secrets of the stages; `nil` if there are none.
    var secrets: [String]?
    /// The compression libraries and levels. Others would write different bytes.
    var libraries: RunReport.Libraries
    var inputs: [InputStamp]
    var cut: Cut
    /// Where the reader of its input was there; `nil`: the input is read again from its beginning.
    var reader: ReaderState?
    /// The summaries of the inputs before the cut.
    var summaries: [InputSummary]
    var ledger: LedgerState
    var steps: [StepState]
    var closing: [ClosingState]
    var sinks: [SinkCheckpoint]
    var deadLetters: SinkCheckpoint

    var stageFiles: [StageFile.Mark] { (steps + closing.map(\.step)).flatMap(\.files) }
}

/// The state of one sink's outputs.
struct SinkCheckpoint: Codable, Sendable {
    struct Columns: Codable, Sendable {
        var output: String
        var columns: [String]
    }

    /// The file that a divided output has reached.
    struct Part: Codable, Sendable, Equatable {
        var output: String
        var number: Int
        var bytes: Int
        var records: Int
    }

    var mark: SinkMark
    /// Outputs whose header is written.
    var begun: [String]
    /// `nil` if the outputs are not compressed.
    var gzip: GzipCheckpoint?
    /// The columns of outputs that took them from their first records.
    var columns: [Columns] = []
    /// The files that divided outputs have reached; `nil` if none is divided.
    var parts: [Part]?
}
