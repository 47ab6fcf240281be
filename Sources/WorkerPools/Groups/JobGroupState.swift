/// A group's jobs, errors and waiters.
struct JobGroupState {
    private var records = OpenRecords<GroupRecord>()
    private(set) var errors: [any Error] = []
    /// The first of the errors, and whether it was the job's own.
    private(set) var firstFailure: JobFailure<any Error>?
    private(set) var isCancelled = false
    private var waiting: [UnsafeContinuation<Void, Never>] = []
    /// Called when the group is cancelled.
    private var follower: (@Sendable () -> Void)?

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

    /// - Returns: the jobs to be cancelled, and who else is to be called, for whoever is the first to cancel the group. Each of the jobs
    ///   notes its end here, and is not to begin again.
    mutating func cancel() -> ([GroupRecord], follower: (@Sendable () -> Void)?)? {
        guard !isCancelled else { return nil }
        isCancelled = true
        defer { follower = nil }
        return (records.all, follower)
    }

    /// - Returns: false if the group has been cancelled.
    mutating func follow(_ follower: @escaping @Sendable () -> Void) -> Bool {
        guard !isCancelled else { return false }
        self.follower = follower
        return true
    }
}

/// A job that belongs to a group, which stays as long as it has jobs.
final class GroupRecord: OpenRecord, @unchecked Sendable {  // its own property never changes
    private unowned(unsafe) let group: JobGroup

    init(_ group: JobGroup, _ options: JobOptions) {
        self.group = group
        super.init(options: options)
    }

    override func settle(_ end: JobEnd) { group.end(self, end) }
}
