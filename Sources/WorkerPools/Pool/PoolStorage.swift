import Synchronization

/// A pool's state with its lock, and the workers: what happens outside the lock happens here.
@usableFromInline
final class PoolStorage: Sendable {
    let configuration: WorkerPool.Configuration
    let state: Guarded<PoolState>
    let alarms: any Alarms
    let timeout: UInt64

    init(_ configuration: WorkerPool.Configuration) {
        configuration.check()
        self.configuration = configuration
        alarms = configuration.alarms ?? configuration.executor as? any Alarms ?? WheelThread.shared
        timeout = configuration.timeout?.nanoseconds ?? 0
        state = Guarded(PoolState(configuration), lock: configuration.lock)
    }

    func makeJob(
        _ body: @escaping @Sendable () async throws -> Void, _ record: JobRecord?, priority: JobPriority
    ) -> Job {
        Job(body: body, record: record, level: UInt8(min(priority.level, configuration.priorityLevels - 1)))
    }

    // What other threads and tasks are waiting for, done after the lock.

    func perform(_ wake: PoolState.Wake) {
        switch wake {
        case .nobody: return
        case .resume(let continuation): continuation.resume()
        case .start(let slot, let generation): start(slot, generation)
        }
    }

    func perform(_ growth: PoolState.Growth) {
        guard case .watch = growth else { return }
        alarms.call(at: alarms.now &+ configuration.sizing.settle.nanoseconds) { [weak self] in
            guard let self else { return }
            let (leaving, growth) = state.withLock { $0.shrink() }
            for worker in leaving { worker.resume() }
            perform(growth)
        }
    }

    func perform(_ more: borrowing PoolState.FollowUp) {
        perform(more.wake)
        guard let others = more.others else { return }
        for submitter in others.admitted { submitter.resume(returning: .accepted) }
        for lender in others.returned { lender.resume() }
        for waiter in others.rested { waiter.resume() }
        for worker in others.leaving { worker.resume() }
        for record in others.withdrawn { record.settle(.stopped(cancellation(of: record))) }
    }

    func cancellation(of record: JobRecord?) -> PoolError {
        .cancelled(pool: configuration.name, job: record?.options.name)
    }

    func lateness(of record: JobRecord?, attempts: Int) -> PoolError {
        let limit = record?.options.timeout ?? configuration.timeout ?? .zero
        return .timedOut(pool: configuration.name, job: record?.options.name, limit: limit, attempts: attempts)
    }

    private func start(_ slot: Int, _ generation: UInt64) {
        let newcomer = Worker(self, slot: slot)
        let worker = Task.detached(executorPreference: configuration.executor) { await newcomer.live() }
        let late = state.withLock { $0.introduce(worker, at: slot, generation: generation) }
        late?.cancel()
    }

    func leaveAlarm(at due: UInt64, for slot: Int) {
        alarms.call(at: due) { [weak self] in self?.ring(due, slot) }
    }

    private func ring(_ due: UInt64, _ slot: Int) {
        let now = alarms.now
        let retries = configuration.retry.map { $0.retriesTimeouts ? $0.times : 0 } ?? 0
        let (expiry, attempts) = state.withLock { state in
            (state.ring(alarm: due, at: slot, now: now, retries: retries), Int(state.slots[slot].jobAttempt))
        }
        switch expiry {
        case .stale: return
        case .later(let deadline): leaveAlarm(at: deadline, for: slot)
        case .expired(let worker, let ended):
            worker?.cancel()
            ended?.settle(.stopped(lateness(of: ended, attempts: attempts)))
        }
    }
}
