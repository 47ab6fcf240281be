/// What happens to an element once a stage is done with it.
struct Delivery<Input: Sendable, Output: Sendable>: Sendable {
    let ledger: StageLedger
    let failures: Failures
    let next: any ParallelInlet<Output>

    /// Suspends while the next stage has no room.
    ///
    /// - Parameter output: nil leaves the element out.
    func pass(_ output: Output?, _ ticket: Ticket) async {
        if let output {
            ledger.passed.count()
            await next.accept(output, ticket)
        } else {
            ledger.filtered.count()
            next.segment.settle(ticket, nil)
        }
    }

    func fail(_ input: Input, _ ticket: Ticket, _ error: any Error, attempts: Int) {
        guard !failures.control.isClosed else { return }
        let mark = failures.judge(input, at: ticket.place, error, attempts: attempts)
        next.segment.settle(ticket, mark.map { .mark($0) })
    }

    /// The pool refuses a job only once the run is over; the element stays open in the ledger.
    func giveUp(_ error: any Error) {
        assert(failures.control.isClosed, "stage '\(ledger.name)' lost an element: \(error)")
    }
}
