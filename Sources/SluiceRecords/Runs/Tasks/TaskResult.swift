/// `result.json` in the folder of a task that has ended: what is in it, and what its stages know.
package struct TaskResult: Codable, Sendable {
    static let name = "result.json"

    /// The plan's identifier.
    var plan: String
    var task: Int
    /// The number of batches in the file, and its size.
    var batches: Int
    var bytes: Int
    /// Where the batches of each input begin in the file, and where the last ends; `nil` unless
    /// tasks leave records (``TaskCut``).
    var starts: [Int]?
    /// The parts of outputs that the task has written as files; `nil` if there are none.
    var files: [TaskFile]?
    /// For each input, what was read.
    var summaries: [InputSummary]
    /// The states of the closing stages, in the order of the pipeline.
    var closing: [Checkpoint.StepState]
    /// The SHA-256 of each state, without its files.
    var digests: [String]
    var types: RunReport.InferredTypes?
    /// The stages with their counts and times.
    var stages: [RunReport.Stage]
    package var records: RunReport.Records
    /// Inputs with damage.
    package var damagedInputs: Int
    package var elapsedSeconds: Double
}
