import Synchronization

/// A record of a job that belongs with others.
class OpenRecord: JobRecord, @unchecked Sendable {  // its own property is atomic
    /// Said by whoever settles the job, before anybody is told.
    let hasEnded = Atomic(false)
}

/// Jobs that may have no end yet, with those that have had it since the list was last gone through: ends are only noted in
/// the records, so that workers need not take the list's lock. It is gone through whenever it has doubled.
struct OpenRecords<Record: OpenRecord> {
    private var records: ContiguousArray<Record> = []
    private var limit = 64

    mutating func add(_ record: Record) {
        if records.count >= limit {
            records.removeAll { $0.hasEnded.load(ordering: .acquiring) }
            limit = max(64, 2 * records.count)
        }
        records.append(record)
    }

    /// The oldest first.
    var all: [Record] { records.filter { !$0.hasEnded.load(ordering: .acquiring) } }

    mutating func removeAll() { records = [] }
}
