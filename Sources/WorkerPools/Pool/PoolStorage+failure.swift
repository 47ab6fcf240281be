extension PoolStorage {
    /// - Parameter failure: nil if the attempt succeeded, but too late.
    func endWithoutSuccess(_ job: Job, _ failure: (any Error)?, at slot: Int) async {
        let verdict = state.withLock { state in
            if failure == nil { state.counters.late += 1 }
            return state.conclude(at: slot)
        }
        let late = lateness(of: job.record, attempts: Int(job.attempt))
        switch verdict {
        case .overrun:
            await report(job, late, retryAfter: nil)
            state.withLock { $0.endOverrun(at: slot) }
        case .expired:
            await retryOrEnd(job, late, isTimeout: true, at: slot)
        case .inTime:
            await retryOrEnd(job, failure ?? late, isTimeout: false, at: slot)
        case .cancelled:
            await endCancelled(job, failure ?? late, at: slot)
        }
    }

    private func retryOrEnd(_ job: Job, _ error: any Error, isTimeout: Bool, at slot: Int) async {
        let delay = retryDelay(job, error, isTimeout: isTimeout)
        await report(job, error, retryAfter: delay)
        if let delay {
            let due = alarms.now &+ delay.nanoseconds
            guard let ticket = state.withLock({ $0.delay(job, at: slot) }) else {
                return await endCancelled(job, error, at: slot)
            }
            alarms.call(at: due) { [self] in perform(state.withLock { $0.resumeDelayed(ticket: ticket) }) }
            return
        }
        state.withLock { $0.end(job, at: slot, counting: isTimeout ? \.timedOut : \.failed) }
        if let late = error as? PoolError, isTimeout {
            job.record?.settle(.stopped(late))
        } else {
            job.record?.settle(.failed(error))
        }
    }

    /// Cancellation was asked for; a job that answers with an error of its own has failed with it.
    private func endCancelled(_ job: Job, _ error: any Error, at slot: Int) async {
        if error is CancellationError || error is PoolError {
            state.withLock { $0.end(job, at: slot, counting: \.cancelled) }
            job.record?.settle(.stopped(cancellation(of: job.record)))
        } else {
            await report(job, error, retryAfter: nil)
            state.withLock { $0.end(job, at: slot, counting: \.failed) }
            job.record?.settle(.failed(error))
        }
    }

    private func retryDelay(_ job: Job, _ error: any Error, isTimeout: Bool) -> Duration? {
        guard let policy = job.record?.options.retry ?? configuration.retry, job.attempt <= policy.times else {
            return nil
        }
        guard isTimeout ? policy.retriesTimeouts : policy.retries(error) else { return nil }
        var random = SystemRandomNumberGenerator()
        return policy.delay(attempt: Int(job.attempt), using: &random)
    }

    func report(_ job: Job, _ error: any Error, retryAfter: Duration?) async {
        guard let onFailure = configuration.onFailure else { return }
        let attempt = FailedAttempt(
            job: job.record?.options.name, error: error, attempt: Int(job.attempt), retryAfter: retryAfter)
        do {
            try await onFailure(attempt)
        } catch {
            state.withLock { $0.counters.callbackFailures += 1 }
        }
    }
}
