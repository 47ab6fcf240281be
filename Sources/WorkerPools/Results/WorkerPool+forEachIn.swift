extension WorkerPool {
    /// Calls `body` with each element as it arrives, in a job each. Takes the next element only
    /// when the queue has room, which it waits for whatever ``WorkerPool/Configuration/whenFull``
    /// says.
    /// - Throws: the sequence's error, or that of the first job to fail; the rest is then
    ///   cancelled, including the task that waits for the next element. Cancelling the caller
    ///   cancels both and throws the error of a job that was cancelled, or `CancellationError`. All
    ///   jobs have ended when this returns or throws.
    public func forEach<Elements: AsyncSequence & Sendable>(
        in elements: Elements, _ body: @escaping @Sendable (Elements.Element) async throws -> Void
    ) async throws where Elements.Element: Sendable {
        let group = JobGroup(storage, rule: .cancelRest, whenFull: .suspend)
        // In a separate task, so that a job's error can end the wait for the next element.
        let taking = storage.taskForElements {
            for try await element in elements { try await group.submit { try await body(element) } }
        }
        group.onCancel { taking.cancel() }
        let taken = await withTaskCancellationHandler {
            await storage.whileWaiting { await taking.result }
        } onCancel: {
            group.cancel()
        }
        if case .failure(let error) = taken {
            group.cancel()
            throw await group.waitForAll().first ?? error
        }
        try await group.wait()
        try Task.checkCancellation()
    }

    /// The same for a sequence that only the caller may read; here a job's error is only noticed
    /// when the sequence gives its next element or ends.
    public func forEach<Elements: AsyncSequence>(
        in elements: Elements, _ body: @escaping @Sendable (Elements.Element) async throws -> Void
    ) async throws where Elements.Element: Sendable {
        let group = JobGroup(storage, rule: .cancelRest, whenFull: .suspend)
        do {
            for try await element in elements {
                try await group.submit { try await body(element) }
            }
        } catch {
            group.cancel()
            throw await group.waitForAll().first ?? error
        }
        try await group.wait()
    }
}
