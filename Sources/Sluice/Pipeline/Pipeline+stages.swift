public import WorkerPools

extension Pipeline {
    /// Makes something else of each element.
    ///
    /// - Parameters:
    ///   - name: for the report and dead letters.
    ///   - concurrency: how many elements are in the closure at once.
    ///   - queue: how many may wait for a worker; by default twice as many as workers, and at least
    ///     16.
    ///   - timeout: of each attempt; the closure is cancelled then, and holds its worker until it
    ///     returns.
    ///   - retry: further attempts when the closure throws; waiting for one holds no worker.
    ///   - onError: what becomes of the element after the last attempt. By default it goes to the
    ///     pipeline's dead letters if there is a sink for them, else the run stops.
    public func map<Output: Sendable>(
        _ name: String = "map", concurrency: Concurrency = 1, queue: Int? = nil, timeout: Duration? = nil,
        retry: RetryPolicy? = nil, onError: FailurePolicy? = nil,
        _ transform: @escaping @Sendable (Element) async throws -> Output
    ) -> Pipeline<Output> {
        stage(
            StageSettings(
                name: name, concurrency: concurrency, queue: queue, timeout: timeout, retry: retry, onError: onError),
            transform)
    }

    /// Makes something else of each element, or leaves it out where the closure gives nil.
    public func compactMap<Output: Sendable>(
        _ name: String = "compactMap", concurrency: Concurrency = 1, queue: Int? = nil, timeout: Duration? = nil,
        retry: RetryPolicy? = nil, onError: FailurePolicy? = nil,
        _ transform: @escaping @Sendable (Element) async throws -> Output?
    ) -> Pipeline<Output> {
        stage(
            StageSettings(
                name: name, concurrency: concurrency, queue: queue, timeout: timeout, retry: retry, onError: onError),
            transform)
    }

    /// Keeps the elements for which the closure is true.
    public func filter(
        _ name: String = "filter", concurrency: Concurrency = 1, queue: Int? = nil, timeout: Duration? = nil,
        retry: RetryPolicy? = nil, onError: FailurePolicy? = nil,
        _ isIncluded: @escaping @Sendable (Element) async throws -> Bool
    ) -> Pipeline {
        stage(
            StageSettings(
                name: name, concurrency: concurrency, queue: queue, timeout: timeout, retry: retry, onError: onError)
        ) { try await isIncluded($0) ? $0 : nil }
    }

    private func stage<Output: Sendable>(
        _ settings: StageSettings, _ body: @escaping @Sendable (Element) async throws -> Output?
    ) -> Pipeline<Output> {
        Pipeline<Output>(settings: self.settings) { [attach] inlet, layout in
            attach(layout.stage(settings, StageLedger(name: settings.name), into: inlet, body), &layout)
        }
    }
}
