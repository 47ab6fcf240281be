extension WorkerPool {
    /// Returns when the pool has ended; drains it when the task is cancelled.
    ///
    /// This is the method that swift-service-lifecycle's `Service` requires, so
    /// `extension WorkerPool: Service {}` is all it takes; call it inside
    /// `cancelWhenGracefulShutdown` to drain on a graceful shutdown.
    public func run() async throws {
        await withTaskCancellationHandler {
            await storage.wait(for: .ended)
        } onCancel: {
            storage.step { $0.drain() }
        }
    }
}
