extension PoolStorage {
    /// - Parameter failure: nil if the attempt succeeded, but too late.
    func endWithoutSuccess(_ worker: Worker, _ failure: (any Error)?) async {
        let (record, attempt) = (worker.job.record, worker.job.attempt)
        let verdict = step { state in
            if failure == nil { state.counters.late += 1 }
            state.forgetExpectedStarts(by: worker)
            return prefetchQueues.own.withLock { worker.closeUnsuccessful($0) }
        }
        let late = configuration.timedOut(record, attempts: attempt)
        switch verdict {
        case .overrun:
            await report(late, of: record, attempt, retryAfter: nil)
            step { $0.endOverrun(worker) }
        case .expired:
            await retryOrEnd(worker, late, .stopped(late))
        case .inTime:
            await retryOrEnd(worker, failure ?? late, .failed(failure ?? late))
        case .cancelled:
            await endCancelled(worker, failure ?? late, isReported: false)
        }
    }

    private func retryOrEnd(_ worker: Worker, _ error: any Error, _ end: JobEnd) async {
        let (record, attempt) = (worker.job.record, worker.job.attempt)
        let delay = retryDelay(record, attempt, error, end)
        await report(error, of: record, attempt, retryAfter: delay)
        guard let delay else { return announceAndCount(end, of: worker) }
        let due = alarms.now &+ delay.nanoseconds
        guard let ticket = step({ $0.delay(worker, in: self) }) else {
            return await endCancelled(worker, error, isReported: true)
        }
        setAlarm(at: due) { $0.step { $0.resumeDelayed(ticket: ticket) } }
    }

    /// Announces the end once the job's closure is gone, and only then counts it.
    private func announceAndCount(_ end: JobEnd, of worker: Worker) {
        worker.releaseBody()
        if let record = worker.job.record {
            prefetchQueues.own.withLock { worker.markDecided($0) }
            // Whatever the end: the job is in no queue any more, so nobody hands it back as undone.
            record.releaseWork()
            record.announce(end, endWaits)
        }
        step { $0.countEnd(end, of: worker) }
    }

    /// Cancellation was requested; a job that responds with an error of its own has failed with it.
    private func endCancelled(_ worker: Worker, _ error: any Error, isReported: Bool) async {
        let (record, attempt) = (worker.job.record, worker.job.attempt)
        guard !isCancellation(error) else { return announceAndCount(configuration.cancelled(record), of: worker) }
        if !isReported { await report(error, of: record, attempt, retryAfter: nil) }
        announceAndCount(.failed(error), of: worker)
    }

    /// A cancellation of the attempt itself, or of a job of this pool that it waited for.
    private func isCancellation(_ error: any Error) -> Bool {
        switch error as? PoolError {
        case .cancelled(configuration.name, _), .closed(configuration.name), .timedOut(configuration.name, _, _, _): true
        default: error is CancellationError
        }
    }

    private func retryDelay(_ record: JobRecord?, _ attempt: Int32, _ error: any Error, _ end: JobEnd) -> Duration? {
        let policy = record?.details?.retry ?? configuration.retry
        guard let policy, attempt <= policy.times else { return nil }
        switch end {
        case .stopped: guard policy.retriesTimeouts else { return nil }
        case .done, .failed: guard policy.retries(error) else { return nil }
        }
        var random = SystemRandomNumberGenerator()
        return policy.delay(attempt: Int(attempt), using: &random)
    }

    func report(_ error: any Error, of record: JobRecord?, _ attempt: Int32, retryAfter: Duration?) async {
        guard let onFailure = configuration.onFailure else { return }
        do {
            try await onFailure(
                FailedAttempt(job: record?.details?.name, error: error, attempt: Int(attempt), retryAfter: retryAfter))
        } catch {
            step { $0.counters.callbackFailures += 1 }
        }
    }
}
