/// A group's jobs, errors and waiters.
struct JobGroupState {
    private var records = OpenRecords<GroupRecord>()
    private(set) var errors: [any Error] = []
    /// The first of the errors, and whether it was the job's own.
    private(set) var firstFailure: JobFailure<any Error>?
    private(set) var isCancelled = false
    private var waiting: [UnsafeContinuation<Void, Never>] = []

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

    /// - Returns: the jobs to be cancelled, by whoever is the first to cancel the group. Each of them notes its end here, and is not
    ///   to begin again.
    mutating func cancel() -> [GroupRecord] {
        guard !isCancelled else { return [] }
        isCancelled = true
        return records.all
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
