/// A group's jobs, errors and waiters.
struct JobGroupState {
    var records: [ObjectIdentifier: GroupRecord] = [:]
    var errors: [any Error] = []
    var isCancelled = false
    private var waiting: [UnsafeContinuation<Void, Never>] = []

    mutating func add(_ record: GroupRecord) -> Bool {
        guard !isCancelled else { return false }
        records[ObjectIdentifier(record)] = record
        return true
    }

    /// The pool did not accept the job.
    mutating func withdraw(_ record: GroupRecord) -> [UnsafeContinuation<Void, Never>] {
        records.removeValue(forKey: ObjectIdentifier(record))
        return takeWaiting()
    }

    mutating func end(_ record: GroupRecord, _ error: (any Error)?) -> [UnsafeContinuation<Void, Never>] {
        records.removeValue(forKey: ObjectIdentifier(record))
        if let error { errors.append(error) }
        return takeWaiting()
    }

    /// - Returns: false if there is nothing to wait for.
    mutating func wait(_ continuation: UnsafeContinuation<Void, Never>) -> Bool {
        guard !records.isEmpty else { return false }
        waiting.append(continuation)
        return true
    }

    mutating func cancel() -> [GroupRecord] {
        isCancelled = true
        return Array(records.values)
    }

    private mutating func takeWaiting() -> [UnsafeContinuation<Void, Never>] {
        guard records.isEmpty else { return [] }
        defer { waiting = [] }
        return waiting
    }
}

/// A job that belongs to a group.
final class GroupRecord: JobRecord, @unchecked Sendable {  // its own properties never change
    private let group: JobGroup

    init(_ group: JobGroup, _ options: JobOptions) {
        self.group = group
        super.init(options: options)
    }

    override func settle(_ end: JobEnd) { group.end(self, end) }
}
