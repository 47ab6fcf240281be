extension PoolStorage {
    /// A worker's life: takes jobs, lies down when there is none, goes when it is told to.
    func work(at slot: Int) async {
        let identity = withUnsafeCurrentTask { $0?.hashValue ?? 0 }
        state.withLock { $0.slots[slot].identity = identity }
        var turn = arrive(at: slot)
        while true {
            switch turn {
            case .run(let job, let run):
                turn = await attempt(job, run, at: slot)
            case .park:
                await withUnsafeContinuation { continuation in
                    if !state.withLock({ $0.park(at: slot, continuation) }) { continuation.resume() }
                }
                turn = arrive(at: slot)
            case .retire:
                return
            }
        }
    }

    private func arrive(at slot: Int) -> PoolState.Turn {
        nextTurn(at: slot) { state in
            state.called -= 1
            return true
        } ?? .retire
    }

    /// Runs a job, and those of its run after it, until one fails.
    private func attempt(_ first: Job, _ run: JobRun?, at slot: Int) async -> PoolState.Turn {
        var job = first
        var failure: (any Error)?
        do {
            while true {
                switch job.body {
                case .closure(let body): try await body()
                case .record(let record): try await record.attempt()
                }
                guard let next = run?.endAndDraw() else { break }
                job = next
            }
            if let turn = nextTurn(at: slot, after: { $0.succeed(job, at: slot) }) {
                job.record?.settle(.done)
                return turn
            }
        } catch {
            failure = error
        }
        await endWithoutSuccess(job, failure, at: slot)
        return nextTurn(at: slot) { _ in true } ?? .retire
    }

    /// Notes the end of an attempt and chooses what comes next, in one turn under the lock.
    /// - Returns: nil if `note` says that the attempt needs more care.
    private func nextTurn(at slot: Int, after note: (inout PoolState) -> Bool) -> PoolState.Turn? {
        var more = PoolState.FollowUp()
        let time = Timers.now
        let step = state.withLock { state -> (PoolState.Turn, alarm: UInt64)? in
            guard note(&state) else { return nil }
            return state.take(at: slot, timeout: timeout, time: time, clock: { alarms.now }, &more)
        }
        guard let step else { return nil }
        perform(more)
        if step.alarm != 0 { leaveAlarm(at: step.alarm, for: slot) }
        return step.0
    }

    /// - Parameter failure: nil if the attempt succeeded, but too late.
    private func endWithoutSuccess(_ job: Job, _ failure: (any Error)?, at slot: Int) async {
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
