/// What happens to an element once a stage is done with it.
struct Delivery<Input: Sendable, Output: Sendable>: Sendable {
    let ledger: StageLedger
    let failures: Failures
    let next: any ParallelInlet<Output>

    /// Suspends while the next stage has no room.
    ///
    /// - Parameter result: nil leaves the element out.
    func settle(
        _ result: Result<Output?, any Error>, of input: Input, _ ticket: Ticket, attempts: Int
    ) async {
        switch result {
        case .success(let output?):
            ledger.passed.count()
            await next.accept(output, ticket)
        case .success(nil):
            ledger.filtered.count()
            failures.gate.drop(ticket)
        case .failure(let error):
            failures.settle(input, ticket, error, attempts: attempts)
        }
    }

    /// The pool refuses a job only once the run is over; the element stays open in the ledger.
    func giveUp(_ error: any Error) {
        assert(failures.control.isClosed, "stage '\(ledger.name)' lost an element: \(error)")
    }
}
