/// What a stage does with an element that it cannot get through.
struct Failures: Sendable {
    let ledger: StageLedger
    let policy: FailurePolicy
    let gate: any Gate
    let control: RunControl
    let callback: (@Sendable (DeadLetter) -> Void)?

    func settle(_ element: some Sendable, _ ticket: Ticket, _ error: any Error, attempts: Int) {
        guard !control.isClosed else { return }
        let letter = DeadLetter(
            element: element, stage: ledger.name, error: error, attempts: attempts, place: ticket.place)
        callback?(letter)
        switch policy {
        case .deadLetter:
            ledger.dead.count()
            gate.bury(ticket, letter)
        case .drop:
            ledger.dropped.count()
            gate.drop(ticket)
        case .stop:
            let reason = PipelineError.stage(ledger.name, at: ticket.place, attempts: attempts, error)
            control.stopReading(because: reason, at: ticket.place)
            gate.fail(ticket, reason)
        }
    }
}
