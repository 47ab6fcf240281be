extension WorkerPool {
    /// Changes the bounds of the pool's size and returns when no more jobs run than the new upper
    /// bound allows.
    ///
    /// Running jobs are finished; until few enough are left, no job begins. The limit moves into
    /// the new bounds at once and stays where it is if it lies within them. Cancelling the waiting
    /// task does not end the wait.
    public func resize(to workers: ClosedRange<Int>) async {
        beginResizing(to: workers)
        await storage.wait(for: .withinLimit)
    }

    /// As ``resize(to:)``, without waiting for jobs that are too many to end.
    package func beginResizing(to workers: ClosedRange<Int>) {
        demand(workers.lowerBound > 0, "pool '\(name)' needs at least one worker, not \(workers)")
        storage.exclusiveStep { $0.resize(to: workers, $1) }
    }

    /// Sets one size, as `resize(to: workers...workers)`.
    public func resize(to workers: Int) async { await resize(to: workers...workers) }
}
