internal import WorkerPools

/// A stage of a run: a worker pool and what its jobs do.
///
/// A job that has its result hands it to the next stage before it ends, so a worker that cannot
/// pass its result on takes no other element: that is the pipeline's backpressure.
final class Stage<Input: Sendable, Output: Sendable>: ParallelInlet {
    private let pool: WorkerPool
    private let delivery: Delivery<Input, Output>
    private let body: @Sendable (Input) async throws -> Output?
    private let measuresWaiting: Bool
    let segment: Segment

    init(
        pool: WorkerPool, delivery: Delivery<Input, Output>, measuresWaiting: Bool,
        body: @escaping @Sendable (Input) async throws -> Output?
    ) {
        self.pool = pool
        self.measuresWaiting = measuresWaiting
        self.delivery = delivery
        self.body = body
        segment = delivery.next.segment
    }

    func accept(_ input: Input, _ ticket: Ticket) async {
        delivery.ledger.received.count()
        let job = { @Sendable in await self.run(input, ticket) }
        do {
            try await pool.submitUncancelled { try await $0.submit(job) }
        } catch {
            delivery.giveUp(error)
        }
    }

    private func run(_ input: Input, _ ticket: Ticket) async {
        let start = ContinuousClock.now
        let output: Output?
        do {
            output = try await body(input)
        } catch {
            delivery.ledger.wasBusy(since: start)
            return delivery.fail(input, ticket, error, attempts: 1)
        }
        let end = delivery.ledger.wasBusy(since: start)
        await delivery.pass(output, ticket)
        if measuresWaiting { delivery.ledger.waited(since: end) }
    }
}

extension WorkerPool {
    /// Submits even where the submitting task is cancelled: a drain cancels the readers, but what
    /// they have read goes on.
    func submitUncancelled(_ submit: @escaping @Sendable (WorkerPool) async throws -> Void) async throws {
        do {
            try await submit(self)
        } catch is CancellationError {
            try await Task { try await submit(self) }.value
        }
    }
}
