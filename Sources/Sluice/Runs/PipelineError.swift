/// Why a run stopped.
public enum PipelineError: Error, Sendable {
    /// An element's last attempt threw in a stage whose policy is to stop.
    case stage(String, at: Place, attempts: Int, any Error)
    /// The source threw instead of giving the element at this place.
    case source(at: Place, any Error)
    /// The sink threw; nothing was written after that.
    case sink(any Error)
    /// The sink of the dead letters threw.
    case deadLetters(any Error)
    /// ``RunControl/cancel()`` was called.
    case cancelled
    /// A stage gave up the element at this place because the run was being drained. Such a run does
    /// not fail: it ends before the element.
    case drained(at: Place)
    /// The run seemed to end well, but its ledger does not add up. This is an error in Sluice.
    case unbalanced
}

extension PipelineError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .stage(let name, let place, let attempts, let error):
            "stage '\(name)' failed on element \(place) after \(attempts) attempt\(attempts == 1 ? "" : "s"): \(error)"
        case .source(let place, let error): "the source failed at element \(place): \(error)"
        case .sink(let error): "the sink failed: \(error)"
        case .deadLetters(let error): "the sink for dead letters failed: \(error)"
        case .cancelled: "the run was cancelled"
        case .drained(let place): "the run was drained before element \(place)"
        case .unbalanced: "the ledger does not balance; the report shows where"
        }
    }
}

/// What `run()` throws: the reason, and the report as far as the run came.
public struct PipelineFailure: Error, Sendable, CustomStringConvertible {
    public let reason: PipelineError
    public let report: Report

    public var description: String { reason.description }
}
