extension PoolStorage {
    /// - Parameter failure: nil if the attempt succeeded, but too late.
    func endWithoutSuccess(_ worker: Worker, _ failure: (any Error)?) async {
        let job = worker.job
        let verdict = step { state in
            if failure == nil { state.counters.late += 1 }
            return state.conclude(worker)
        }
        let late = lateness(of: job.record, attempts: Int(job.attempt))
        switch verdict {
        case .overrun:
            await report(job, late, retryAfter: nil)
            step { $0.endOverrun(worker) }
        case .expired:
            await retryOrEnd(worker, late, isTimeout: true)
        case .inTime:
            await retryOrEnd(worker, failure ?? late, isTimeout: false)
        case .cancelled:
            await endCancelled(worker, failure ?? late)
        }
    }

    private func retryOrEnd(_ worker: Worker, _ error: any Error, isTimeout: Bool) async {
        let job = worker.job
        let delay = retryDelay(job, error, isTimeout: isTimeout)
        await report(job, error, retryAfter: delay)
        if let delay {
            let due = alarms.now &+ delay.nanoseconds
            let alarm = PoolAlarm(self)
            guard let ticket = step({ $0.delay(worker, until: alarm) }) else {
                return await endCancelled(worker, error, isReported: true)
            }
            alarms.call(at: due) { alarm.fire { $0.step { $0.resumeDelayed(ticket: ticket) } } }
            return
        }
        if let late = error as? PoolError, isTimeout {
            end(worker, .stopped(late), counting: \.timedOut)
        } else {
            end(worker, .failed(error), counting: \.failed)
        }
    }

    /// Announces the end, and only then counts it.
    private func end(_ worker: Worker, _ end: JobEnd, counting count: WritableKeyPath<PoolCounters, Int>) {
        if let record = worker.job.record {
            step { _ in worker.finish() }
            record.settle(end)
        }
        step { $0.end(worker, counting: count) }
    }

    /// Cancellation was requested; a job that responds with an error of its own has failed with it.
    private func endCancelled(_ worker: Worker, _ error: any Error, isReported: Bool = false) async {
        let job = worker.job
        if isCancellation(error) {
            end(worker, .stopped(cancellation(of: job.record)), counting: \.cancelled)
        } else {
            if !isReported { await report(job, error, retryAfter: nil) }
            end(worker, .failed(error), counting: \.failed)
        }
    }

    /// A cancellation of the attempt itself, or of a job of this pool that it waited for.
    private func isCancellation(_ error: any Error) -> Bool {
        switch error as? PoolError {
        case .cancelled(configuration.name, _), .closed(configuration.name), .timedOut(configuration.name, _, _, _): true
        default: error is CancellationError
        }
    }

    private func retryDelay(_ job: Job, _ error: any Error, isTimeout: Bool) -> Duration? {
        guard let policy = job.record?.details?.retry ?? configuration.retry, job.attempt <= policy.times else {
            return nil
        }
        guard isTimeout ? policy.retriesTimeouts : policy.retries(error) else { return nil }
        var random = SystemRandomNumberGenerator()
        return policy.delay(attempt: Int(job.attempt), using: &random)
    }

    func report(_ job: Job, _ error: any Error, retryAfter: Duration?) async {
        guard let onFailure = configuration.onFailure else { return }
        let attempt = FailedAttempt(
            job: job.record?.details?.name, error: error, attempt: Int(job.attempt), retryAfter: retryAfter)
        do {
            try await onFailure(attempt)
        } catch {
            step { $0.counters.callbackFailures += 1 }
        }
    }
}
