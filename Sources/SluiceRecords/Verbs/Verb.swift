package import SluiceCEL

/// What a stage of a pipeline file can do. One type a verb, one file, named as in the file.
package protocol Verb: Sendable {
    static var declaration: Declaration { get }

    /// Takes the argument that the declaration's shape has let pass, and compiles what is in it
    /// against `checking.fields`, which it leaves as they are after the stage. Reports what is
    /// wrong.
    init?(_ argument: Argument, options: Arguments, _ checking: inout Checking)

    /// Every field that the verb reads, writes or names: the decoder before it is asked for these.
    var mentions: [String] { get }

    /// Whether its records are decoded anew after it, because their fields are known only then.
    var givesNewBytes: Bool { get }

    /// Whether the records that pass are what they were.
    var leavesRecords: Bool { get }

    /// Whether fields that it does not touch are the same after it, where it gives new bytes.
    var passesFields: Bool { get }

    /// Whether it may have as much to keep as the input has records: such stages share the memory.
    var keepsMuch: Bool { get }

    /// Files that it reads.
    var files: [String] { get }

    /// What the stage is while one run goes on. Called once a run.
    func makeStep(_ stage: RecordStage) -> Step
}

extension Verb {
    package var name: String { Self.declaration.name }
    package var givesNewBytes: Bool { false }
    package var leavesRecords: Bool { false }
    package var passesFields: Bool { false }
    package var keepsMuch: Bool { false }
    package var files: [String] { [] }
}

/// The three shapes of a stage at work; the run knows no other.
package enum Step: Sendable {
    /// Batches in any order, many at once.
    case each(any EachStep)
    /// Batches one at a time in the order of the input, with state.
    case ordered(any OrderedStep)
    /// Takes in all batches, and gives records when the input has ended.
    case closing(any ClosingStep)
}

/// A stage that takes batches in any order, many at once.
package protocol EachStep: Sendable {
    /// Binds the stage to its place: which columns it reads and fills. Called once for each way
    /// that records are laid out there, at any time and from any thread.
    func bind(_ site: StageSite, _ binder: inout StageBinder) -> any EachStage

    /// Called when the run is to end early: waits for nothing any more.
    func drain()

    /// Called once, when no batch will come any more.
    func end() async

    /// How many batches are in the stage at once.
    func batches(_ pool: PoolOptions, threads: Int) -> ClosedRange<Int>

    /// What the stage's own workers did, where they are not the ones that take batches.
    var ownWorkers: OwnWorkers? { get }

    /// Adds what only this step knows to its stage's part of the report, once the run has ended.
    func note(in stage: inout RunReport.Stage)
}

/// An ``EachStep`` at one place. Changes the batch in place: rows it leaves out are filtered, rows
/// it fails become dead letters, rows it adds are counted; it never loses one.
package protocol EachStage: Sendable {
    /// - Throws: only what ends the run: ``RunError`` for a failure under `on_error: stop`,
    ///   `CancellationError`.
    func run(_ batch: RecordBatch) async throws
}

/// A stage that takes batches one at a time, in the order of the input, with state.
package protocol OrderedStep: Sendable {
    func bind(_ site: StageSite, _ binder: inout StageBinder) -> any OrderedStage

    /// Whether it may ever answer ``Flow/enough``.
    var mayHaveEnough: Bool { get }

    /// The state, for a checkpoint. Between two batches.
    func checkpoint() throws(RunError) -> [UInt8]

    /// Goes on from a state that ``checkpoint()`` gave, before the first batch.
    ///
    /// - Throws: ``CheckpointError`` where the bytes are no such state.
    func restore(_ state: [UInt8]) throws(CheckpointError)
}

/// An ``OrderedStep`` at one place.
package protocol OrderedStage: Sendable {
    func run(_ batch: RecordBatch) throws(RunError) -> Flow
}

/// Whether an ordered stage needs more records.
package enum Flow: Sendable {
    case more
    /// The run ends well after this batch: nothing more is read, and what was read ahead is in no
    /// book.
    case enough
}

/// A stage that takes in all records and gives others when the input has ended.
///
/// What it gives must not depend on the order or the grouping in which batches came.
package protocol ClosingStep: Sendable {
    func bind(_ site: StageSite, _ binder: inout StageBinder) -> any ClosingStage

    /// The fields of the records that it gives, in the order of the columns; nil where it gives
    /// text.
    var fields: [Schema.Field]? { get }

    /// What was taken in by all stages bound to it, as records. Called once, after the last batch.
    func results() throws(RunError) -> ClosingResults

    /// The state, for a checkpoint or for another machine. While no batch is being taken in.
    ///
    /// - Throws: ``RunError`` where what does not fit into memory cannot be read.
    func checkpoint() throws(RunError) -> [UInt8]

    /// Merges a state that ``checkpoint()`` gave into this one.
    func merge(_ state: [UInt8]) throws(CheckpointError)

    /// Adds what only this step knows to its stage's part of the report, once the run has ended.
    func note(in stage: inout RunReport.Stage)
}

/// A ``ClosingStep`` at one place.
package protocol ClosingStage: Sendable {
    /// Takes in every row of the batch, but for those that fail. From several workers at once.
    func take(_ batch: RecordBatch) throws(RunError)
}

/// The records that a closing stage gives.
package enum ClosingResults: Sendable {
    /// Of the step's fields.
    case rows(any ClosingRows)
    /// JSON text, of any fields.
    case texts(any ClosingTexts)
}

/// Records as rows of cells.
package protocol ClosingRows: AnyObject, Sendable {
    /// Fills the table from row 0, a cell for each of the step's fields. Text must live in the
    /// table's or the scratch's arena.
    ///
    /// - Returns: how many rows there are; 0 after the last.
    func next(_ table: RowTable, _ scratch: Scratch) throws(RunError) -> Int
}

/// Records as JSON text.
package protocol ClosingTexts: AnyObject, Sendable {
    /// Adds at most so many; none after the last.
    func next(_ texts: inout RecordTexts, most: Int) throws(RunError)
}

/// A state that cannot be read.
package struct CheckpointError: Error, Sendable, Equatable {
    package var reason: String

    package init(_ reason: String) {
        self.reason = reason
    }
}

/// Workers that a stage has besides those that take batches: the children of `exec`.
package struct OwnWorkers: Sendable {
    var range: ClosedRange<Int>
    var peak: Int
    var retries: Int
    var timeouts: Int
    var busy: Duration
}

extension EachStep {
    package func drain() {}
    package func end() async {}
    package func batches(_ pool: PoolOptions, threads: Int) -> ClosedRange<Int> { pool.workers ?? 1...threads }
    package var ownWorkers: OwnWorkers? { nil }
    package func note(in stage: inout RunReport.Stage) {}
}

extension ClosingStep {
    package func note(in stage: inout RunReport.Stage) {}
}

/// A verb that has nothing to keep for a run is its own step.
extension Verb where Self: EachStep {
    package func makeStep(_ stage: RecordStage) -> Step { .each(self) }
}
