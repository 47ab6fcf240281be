extension WorkerPool {
    /// Waits until nothing is queued, running or waiting for a retry. The pool stays open.
    ///
    /// Called by a job of the pool, it waits for all jobs but those that wait likewise. Cancelling the waiting task does not end the
    /// wait.
    public func waitUntilIdle() async {
        await storage.wait(for: .idle)
    }

    /// Takes no more jobs, and waits until those accepted have ended and all workers have gone.
    ///
    /// Jobs that jobs of this pool submit are still accepted, since they are part of the work accepted. Called by a job of
    /// the pool, it waits for all other jobs, but not for workers to go. May be called any number of times, by any number of tasks.
    /// Cancelling the waiting task does not end the wait; ``drain(within:)`` and ``cancel()`` do.
    public func drain() async {
        _ = storage.perform(storage.step(shutsInjector: true) { $0.drain() })
        await storage.wait(for: .ended)
    }

    /// Drains, but cancels what is left when `limit` has passed.
    ///
    /// Returns at the latest with the cancellation; jobs that run on regardless can be waited for with ``drain()``. Called by a
    /// job of the pool, it returns once that job has its place back, which jobs that are deaf to cancellation may hold up.
    /// - Returns: the jobs that were not finished by then.
    @discardableResult
    public func drain(within limit: Duration) async -> [UndoneJob] {
        _ = storage.perform(storage.step(shutsInjector: true) { $0.drain() })
        let undone = Guarded<[UndoneJob]>([])
        await storage.wait(for: .endedOrCancelled, atMost: limit) { storage in
            // Not by the caller, which may be a job that waits for its place among those to be cancelled.
            let jobs = storage.perform(storage.exclusiveStep { $0.cancel() })
            undone.withLock { $0 = jobs }
        }
        return undone.withLock { $0 }
    }

    /// Takes no more jobs, cancels those that run and hands back those that wait. Does not wait; ``drain()`` does.
    @discardableResult
    public func cancel() -> [UndoneJob] {
        storage.perform(storage.exclusiveStep { $0.cancel() })
    }
}

/// Gives a pool to `body`, and drains it when `body` has returned; if `body` throws or the task is cancelled, the pool is
/// cancelled instead. Either way nothing of the pool is left when this returns, but what `body` has returned is returned also when jobs
/// were cancelled: `Task.isCancelled` tells.
public func withWorkerPool<Value, Failure: Error>(
    _ configuration: WorkerPool.Configuration, _ body: (WorkerPool) async throws(Failure) -> Value
) async throws(Failure) -> Value {
    let pool = WorkerPool(configuration)
    // The handler's own signature would lose the type of the error.
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
