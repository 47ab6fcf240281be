/// A group's jobs, errors and waiters.
struct JobGroupState {
    private var records = OpenRecords<GroupRecord>()
    private(set) var errors: [any Error] = []
    /// The first of the errors, and whether it was the job's own.
    private(set) var firstFailure: JobFailure<any Error>?
    private(set) var isCancelled = false
    private var waiting: [UnsafeContinuation<Void, Never>] = []
    /// Called when the group is cancelled.
    private var handler: (@Sendable () -> Void)?

    mutating func add(_ record: GroupRecord) -> Bool {
        guard !isCancelled else { return false }
        records.add(record)
        return true
    }

    mutating func note(_ failure: JobFailure<any Error>) {
        firstFailure = firstFailure ?? failure
        switch failure {
        case .failed(let error): errors.append(error)
        case .stopped(let error): errors.append(error)
        }
    }

    mutating func wait(_ continuation: UnsafeContinuation<Void, Never>) { waiting.append(continuation) }

    mutating func takeWaiting() -> [UnsafeContinuation<Void, Never>] {
        defer { waiting = [] }
        return waiting
    }

    /// - Returns: the jobs to cancel and the handler to call, but only to the first caller that
    ///   cancels the group. Each of those jobs records its end here and must not begin again.
    mutating func cancel() -> ([GroupRecord], handler: (@Sendable () -> Void)?)? {
        guard !isCancelled else { return nil }
        isCancelled = true
        defer { handler = nil }
        return (records.all, handler)
    }

    /// - Returns: false if the group has already been cancelled.
    mutating func setCancelHandler(_ handler: @escaping @Sendable () -> Void) -> Bool {
        guard !isCancelled else { return false }
        self.handler = handler
        return true
    }
}

/// A job that belongs to a group, which outlives its jobs.
final class GroupRecord: OpenRecord, @unchecked Sendable {  // its own property never changes
    private unowned(unsafe) let group: JobGroup

    init(_ group: JobGroup, _ options: JobOptions) {
        self.group = group
        super.init(options: options)
    }

    override func settle(_ end: JobEnd) { group.end(self, end) }
}
