/// What becomes of an element that a stage throws on, once all its attempts are used up.
public enum FailurePolicy: String, Sendable, CaseIterable {
    /// It goes to the dead letters' sink, at its place in the pipeline's order; the run goes on.
    case deadLetter = "dead_letter"
    /// It is left out and counted; the run goes on.
    case drop
    /// Everything before it is committed, then the run fails.
    case stop
}
