package import SluiceCEL

/// What a stage of a pipeline file can do. One type and one file per verb, named as in pipeline
/// files.
package protocol Verb: Sendable {
    static var declaration: Declaration { get }

    /// Called with an argument that conforms to the declaration's shape. Compiles its expressions
    /// against `checking.fields`, updates `checking.fields` to those after the stage, and reports
    /// errors.
    init?(_ argument: Argument, options: Arguments, _ checking: inout Checking)

    /// Every field that the verb reads, writes or names: what the decoder before it must provide.
    var mentions: [String] { get }

    /// Those of ``mentions`` that records have before it, if the definition is right.
    var reads: [String] { get }

    /// Whether its records are decoded again after it, because only then are their fields known.
    var givesNewBytes: Bool { get }

    /// Whether the records that pass are unchanged.
    var leavesRecords: Bool { get }

    /// If it gives records new bytes, whether fields that it does not touch stay the same.
    var passesFields: Bool { get }

    /// Whether its state may grow with the number of records. Such stages share the memory limit.
    var keepsMuch: Bool { get }

    /// Whether it returns all records that it has taken in, once everything is read.
    var returnsAll: Bool { get }

    /// The number of records that a batch may have at most, if each of them may grow much; `nil`:
    /// any number.
    var mostRecords: Int? { get }

    /// Whether it calls other programs or servers, which may have effects.
    var callsOthers: Bool { get }

    /// The files that it reads.
    var files: [String] { get }

    /// For each secret that its results depend on, a value that is the same as long as the secret
    /// is, and does not reveal it. The secrets themselves are in no digest of the definition.
    var secretProofs: [String] { get }

    /// What becomes of a record depends on this.
    var dependence: Dependence { get }

    /// Whether ``advice(on:)`` may have something to say that the definition alone does not show.
    ///
    /// - Parameter format: what the records are read from.
    func mayAdvise(reading format: any Format) -> Bool

    /// A probable mistake that only records show, and its fix.
    ///
    /// - Parameter records: some of those that reach the stage.
    func advice(on records: [ValueMap]) -> String?

    /// Makes the step that does the stage's work. Called once per run.
    func makeStep(_ stage: RecordStage) -> Step
}

extension Verb {
    package var name: String { Self.declaration.name }
    package var reads: [String] { mentions }
    package var givesNewBytes: Bool { false }
    package var leavesRecords: Bool { false }
    package var passesFields: Bool { false }
    package var keepsMuch: Bool { false }
    package var returnsAll: Bool { false }
    package var mostRecords: Int? { nil }
    package var callsOthers: Bool { false }
    package var files: [String] { [] }
    package var secretProofs: [String] { [] }
    package var dependence: Dependence { .record }
    package func mayAdvise(reading format: any Format) -> Bool { false }
    package func advice(on records: [ValueMap]) -> String? { nil }
}

/// What a verb's work on a record depends on: whether a single record can be processed again, long
/// after the others. Closing verbs combine records, so the question does not arise.
package enum Dependence: Sendable {
    /// On the record alone, which remains one record.
    case record
    /// As ``record``, but the record may become several.
    case recordOfSeveral
    /// On other records, or on the record's place among them.
    case others
}

/// The three kinds of steps; a run knows no others.
package enum Step: Sendable {
    /// Takes batches in any order, many at once.
    case each(any EachStep)
    /// Takes batches one at a time in the order of the input, with state.
    case ordered(any OrderedStep)
    /// Takes in all batches, and produces records when the input has ended.
    case closing(any ClosingStep)
}

/// A step that takes batches in any order, many at once.
package protocol EachStep: Sendable {
    /// Binds the step to a place: the columns to read and to fill. Called once for each layout of
    /// the records there, at any time and from any thread.
    func bind(_ site: StageSite, _ binder: inout StageBinder) -> any EachStage

    /// Called once, before the first batch, to start the threads that the step needs.
    ///
    /// - Returns: false if the system refuses them.
    func begin() async -> Bool

    /// Called when the run is to end early. The step must not wait any longer.
    func drain()

    /// Called once, after the last batch.
    func end() async

    /// The number of batches that the step works on at once.
    func batches(_ pool: PoolOptions, threads: Int) -> ClosedRange<Int>

    /// What the step's own workers did, if it has workers other than those that process batches.
    var ownWorkers: OwnWorkers? { get }

    /// How many of its own workers there can be while it works; `nil` if their number is fixed.
    var allowedWorkers: ClosedRange<Int>? { get }

    /// Sets the number of its own workers, within ``allowedWorkers``. Nothing that it returns
    /// depends on it.
    func resize(to workers: Int)

    /// Adds information that only the step has to the stage's part of the report, once the run has
    /// ended.
    func note(in stage: inout RunReport.Stage)
}

/// An ``EachStep`` bound to one place. Changes the batch in place: rows that it removes are
/// filtered, rows that fail become dead letters, rows that it adds are counted; no row is lost.
package protocol EachStage: Sendable {
    /// - Throws: only errors that end the run: ``RunError`` for a failure under `on_error: stop`,
    ///   or `CancellationError`.
    func run(_ batch: RecordBatch) async throws
}

/// A step that takes batches one at a time, in the order of the input, with state.
package protocol OrderedStep: Sendable {
    func bind(_ site: StageSite, _ binder: inout StageBinder) -> any OrderedStage

    /// Whether it may ever return ``Flow/enough``.
    var mayHaveEnough: Bool { get }

    /// Whether its stages filter anything in ``OrderedStage/runAhead(_:)``.
    var worksAhead: Bool { get }

    /// The state, for a checkpoint. Called between two batches.
    func checkpoint() throws(RunError) -> StageState

    /// Continues from a state of ``checkpoint()``. Called before the first batch.
    ///
    /// - Throws: ``CheckpointError`` if the state is not valid.
    func restore(_ state: StageState) throws(CheckpointError)
}

/// An ``OrderedStep`` bound to one place.
package protocol OrderedStage: Sendable {
    func run(_ batch: RecordBatch) throws(RunError) -> Flow

    /// In a task of a plan: filters those records of the task's batches, in order, that ``run(_:)``
    /// will filter whatever comes before the task. The run that gathers the tasks passes the others
    /// to ``run(_:)``.
    func runAhead(_ batch: RecordBatch) throws(RunError)
}

/// Whether an ordered stage needs more records.
package enum Flow: Sendable {
    case more
    /// The run ends successfully after this batch: nothing more is read, and what was read ahead is
    /// not counted.
    case enough
}

/// A step that takes in all records and produces others when the input has ended.
///
/// The results must not depend on the order or the grouping of the batches.
package protocol ClosingStep: Sendable {
    func bind(_ site: StageSite, _ binder: inout StageBinder) -> any ClosingStage

    /// The fields of the records that it produces, in column order; `nil` if it produces text.
    var fields: [Schema.Field]? { get }

    /// The results of all stages bound to the step. Called once, after the last batch.
    func results() throws(RunError) -> ClosingResults

    /// The state, for a checkpoint or another machine. Not called while a batch is being taken in.
    ///
    /// - Throws: ``RunError`` if state cannot be spilled.
    func checkpoint() throws(RunError) -> StageState

    /// Merges a state of ``checkpoint()`` into this one.
    func merge(_ state: StageState) throws(CheckpointError)

    /// Adds information that only the step has to the stage's part of the report, once the run has
    /// ended.
    func note(in stage: inout RunReport.Stage)
}

/// A ``ClosingStep`` bound to one place.
package protocol ClosingStage: Sendable {
    /// Takes in every row of the batch except those that fail. Called by several workers at once.
    ///
    /// - Parameter isKnown: whether the step's state contains the batch already, because it was
    ///   restored from a checkpoint; only the batch changes then.
    func take(_ batch: RecordBatch, isKnown: Bool) throws(RunError)
}

/// The records that a closing stage produces.
package enum ClosingResults: Sendable {
    /// Rows with the step's fields.
    case rows(any ClosingRows)
    /// JSON text with any fields.
    case texts(any ClosingTexts)
}

/// Records as rows of cells.
package protocol ClosingRows: AnyObject, Sendable {
    /// Fills the table from row 0, with a cell for each of the step's fields. Text must be in the
    /// arena of the scratch, which is enough for a batch at ``Batch/targetBytes``.
    ///
    /// - Returns: the number of rows; 0 after the last.
    func next(_ table: RowTable, _ scratch: Scratch) throws(RunError) -> Int
}

/// Records as JSON text.
package protocol ClosingTexts: AnyObject, Sendable {
    /// Appends at most `most` records; none after the last.
    func next(_ texts: inout RecordTexts, most: Int) throws(RunError)
}

/// A state that cannot be read.
package struct CheckpointError: Error, Sendable, Equatable {
    package var reason: String

    package init(_ reason: String) {
        self.reason = reason
    }
}

/// Workers of a stage other than those that process batches: the child processes of `exec`.
package struct OwnWorkers: Sendable {
    var range: ClosedRange<Int>
    var peak: Int
    var retries: Int
    var timeouts: Int
    var busy: Duration
    /// The number of records that they have finished.
    var answered: Int

    /// How many of them a running stage can be given: as many as its definition says, or a few
    /// more.
    static func allowed(beside range: ClosedRange<Int>) -> ClosedRange<Int> { 1...max(64, range.upperBound) }
}

extension OrderedStep {
    package var worksAhead: Bool { false }
}

extension OrderedStage {
    package func runAhead(_ batch: RecordBatch) throws(RunError) {}
}

extension EachStep {
    package func begin() async -> Bool { true }
    package func drain() {}
    package func end() async {}
    package func batches(_ pool: PoolOptions, threads: Int) -> ClosedRange<Int> { pool.workers ?? 1...threads }
    package var ownWorkers: OwnWorkers? { nil }
    package var allowedWorkers: ClosedRange<Int>? { nil }
    package func resize(to workers: Int) {}
    package func note(in stage: inout RunReport.Stage) {}
}

extension ClosingStep {
    package func note(in stage: inout RunReport.Stage) {}
}

/// A verb without state is its own step.
extension Verb where Self: EachStep {
    package func makeStep(_ stage: RecordStage) -> Step { .each(self) }
}
