/// What a stage does with an element that it cannot get through.
struct Failures: Sendable {
    let ledger: StageLedger
    let policy: FailurePolicy
    let control: RunControl
    let callback: (@Sendable (DeadLetter) -> Void)?

    /// Counts the failure.
    ///
    /// - Returns: what takes the element's place; nil if nothing does.
    func judge(_ element: some Sendable, at place: Place, _ error: any Error, attempts: Int) -> Mark? {
        if error is Abandoned, control.abandon(at: place) { return .failed(.drained(at: place)) }
        let letter = DeadLetter(element: element, stage: ledger.name, error: error, attempts: attempts, place: place)
        callback?(letter)
        switch policy {
        case .deadLetter:
            ledger.dead.count()
            return .dead(letter)
        case .drop:
            ledger.dropped.count()
            return nil
        case .stop:
            let reason = PipelineError.stage(ledger.name, at: place, attempts: attempts, error)
            control.stopReading(because: reason, at: place)
            return .failed(reason)
        }
    }
}

/// Thrown by a stage's closure to give up its element because the run is being drained.
///
/// The run then ends before this element, as interrupted. While the run is not being drained, this
/// is an error as any other.
package struct Abandoned: Error, Sendable {
    package init() {}
}
