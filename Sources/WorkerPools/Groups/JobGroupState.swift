/// A group's jobs, errors and waiters.
struct JobGroupState {
    /// The jobs that have not ended.
    private(set) var open: [ObjectIdentifier: JobRecord] = [:]
    /// Of the jobs that have not succeeded, in the order in which they ended.
    var failures: [JobFailure<any Error>] = []
    private(set) var isCancelled = false
    private var waiting: [UnsafeContinuation<Void, Never>] = []
    /// Called when the group is cancelled.
    private var handler: (@Sendable () -> Void)?

    mutating func add(_ record: JobRecord) -> Bool {
        guard !isCancelled else { return false }
        open[ObjectIdentifier(record)] = record
        return true
    }

    /// - Returns: the waiters, if this was the last.
    mutating func remove(_ record: JobRecord) -> [UnsafeContinuation<Void, Never>] {
        open[ObjectIdentifier(record)] = nil
        return open.isEmpty ? exchange(&waiting, with: []) : []
    }

    /// - Returns: false if all jobs have ended.
    mutating func wait(_ continuation: UnsafeContinuation<Void, Never>) -> Bool {
        guard !open.isEmpty else { return false }
        waiting.append(continuation)
        return true
    }

    /// - Returns: the jobs to cancel and the handler to call, but only to the first caller that
    ///   cancels the group. Each of those jobs records its end here and must not begin again.
    mutating func cancel() -> ([JobRecord], handler: (@Sendable () -> Void)?)? {
        guard !isCancelled else { return nil }
        isCancelled = true
        return (Array(open.values), handler.take())
    }

    /// - Returns: false if the group has already been cancelled.
    mutating func setCancelHandler(_ handler: @escaping @Sendable () -> Void) -> Bool {
        guard !isCancelled else { return false }
        self.handler = handler
        return true
    }
}
