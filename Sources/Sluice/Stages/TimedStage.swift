internal import Synchronization
internal import WorkerPools

/// A stage whose pool ends attempts that take too long and makes new ones.
///
/// Waiting for the next stage must count for neither, so the pool's job is the attempt alone:
/// results go to an outbox, which the stage's forwarder empties. While the outbox is full the stage
/// takes no more elements.
final class TimedStage<Input: Sendable, Output: Sendable>: ParallelInlet, Forwarder {
    private struct Done: Sendable {
        let result: Result<Output?, any Error>
        let input: Input
        let ticket: Ticket
        let attempts: Int
    }

    private let pool: WorkerPool
    private let timeout: Duration?
    private let delivery: Delivery<Input, Output>
    private let body: @Sendable (Input) async throws -> Output?
    private let outbox: Outbox<Done>
    let segment: Segment

    init(
        pool: WorkerPool, settings: StageSettings, delivery: Delivery<Input, Output>,
        body: @escaping @Sendable (Input) async throws -> Output?
    ) {
        self.pool = pool
        timeout = settings.timeout
        self.delivery = delivery
        self.body = body
        outbox = Outbox(capacity: settings.capacity)
        segment = delivery.next.segment
    }

    func accept(_ input: Input, _ ticket: Ticket) async {
        delivery.ledger.received.count()
        await outbox.waitForRoom()
        let attempts = Attempts()
        do {
            try await pool.submitUncancelled { [self] pool in
                try await pool.submit(
                    returning: { () async throws(any Error) -> Output? in try await self.attempt(input, attempts) },
                    then: { result in
                        self.outbox.put(
                            Done(
                                result: self.outcome(result, attempts), input: input, ticket: ticket,
                                attempts: attempts.count.now))
                    })
            }
        } catch {
            delivery.giveUp(error)
        }
    }

    func forward() async {
        while let done = await outbox.next() {
            switch done.result {
            case .success(let output): await delivery.pass(output, done.ticket)
            case .failure(let error):
                delivery.fail(done.input, done.ticket, error, attempts: done.attempts)
            }
        }
    }

    func finish() { outbox.finish() }

    private func attempt(_ input: Input, _ attempts: Attempts) async throws -> Output? {
        attempts.count.count()
        let start = ContinuousClock.now
        defer { delivery.ledger.wasBusy(since: start) }
        return try await body(input)
    }

    private func outcome(
        _ result: Result<Output?, JobFailure<any Error>>, _ attempts: Attempts
    ) -> Result<Output?, any Error> {
        switch result {
        case .success(let output): .success(output)
        case .failure(.failed(let error)): .failure(error)
        case .failure(.stopped(.timedOut)):
            .failure(TimeoutError(limit: timeout ?? .zero, attempts: attempts.count.now))
        case .failure(.stopped(let error)): .failure(error)
        }
    }
}

/// Something that passes results on beside its pool.
protocol Forwarder: Sendable {
    /// Runs until ``finish()``.
    func forward() async
    /// The pool has no more jobs.
    func finish()
}

private final class Attempts: Sendable {
    let count = Atomic(0)
}

/// An element's last attempt took longer than its stage allows.
public struct TimeoutError: Error, Sendable, Hashable, CustomStringConvertible {
    public let limit: Duration
    public let attempts: Int

    public var description: String { "no result in \(limit)" }
}
