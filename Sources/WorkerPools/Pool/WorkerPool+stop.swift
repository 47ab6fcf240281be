extension WorkerPool {
    /// Waits until nothing is queued, running or waiting for a retry. The pool stays open.
    ///
    /// Called by a job of the pool, it waits for all jobs except those that also wait this way.
    /// Cancelling the waiting task does not end the wait.
    public func waitUntilIdle() async {
        await storage.wait(for: .idle)
    }

    /// Accepts no more jobs, and waits until accepted ones have ended and all workers are gone.
    ///
    /// Jobs that jobs of this pool submit are still accepted, since they are part of the accepted
    /// work. Called by a job of the pool, it waits for all other jobs, but not for workers to go.
    /// May be called any number of times, by any number of tasks. Cancelling the waiting task does
    /// not end the wait; ``drain(within:)`` and ``cancel()`` do.
    public func drain() async {
        storage.step { $0.drain() }
        await storage.wait(for: .ended)
    }

    /// Drains, but cancels what is left when `limit` has passed.
    ///
    /// Returns no later than the cancellation; ``drain()`` waits for jobs that keep running
    /// regardless. Called by a job of the pool, it returns once that job has its place back, which
    /// jobs that ignore cancellation may delay.
    /// - Returns: the jobs that were not finished by then.
    @discardableResult
    public func drain(within limit: Duration) async -> [UndoneJob] {
        storage.step { $0.drain() }
        let undone = Guarded<[UndoneJob]>([])
        await storage.wait(for: .endedOrCancelled, atMost: limit) { storage in
            // Not by the caller, which may be a job waiting for its place among those to be
            // cancelled.
            let jobs = storage.cancel()
            undone.withLock { $0 = jobs }
        }
        return undone.withLock { $0 }
    }

    /// Accepts no more jobs, cancels running ones and hands back waiting ones. Does not wait;
    /// ``drain()`` does.
    @discardableResult
    public func cancel() -> [UndoneJob] {
        storage.cancel()
    }
}

/// Passes a pool to `body`, and drains it when `body` has returned; if `body` throws or the task is
/// cancelled, the pool is cancelled instead. Either way nothing of the pool is left when this
/// returns. The value of `body` is returned even if jobs were cancelled: check `Task.isCancelled`.
public func withWorkerPool<Value, Failure: Error>(
    _ configuration: WorkerPool.Configuration, _ body: (WorkerPool) async throws(Failure) -> Value
) async throws(Failure) -> Value {
    let pool = WorkerPool(configuration)
    // The handler's own signature would lose the error's type.
    let outcome = await withTaskCancellationHandler { () async -> Result<Value, Failure> in
        do throws(Failure) {
            let result = try await body(pool)
            await pool.drain()
            return .success(result)
        } catch {
            pool.cancel()
            await pool.drain()
            return .failure(error)
        }
    } onCancel: {
        pool.cancel()
    }
    return try outcome.get()
}
