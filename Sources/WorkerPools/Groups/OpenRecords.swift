import Synchronization

/// The record of a job that belongs to a group or a result stream.
class OpenRecord: JobRecord, @unchecked Sendable {  // its own property is atomic
    /// Set by the thread that settles the job, before it tells anyone.
    let hasEnded = Atomic(false)
}

/// The records of jobs that may still be open. Ends are only marked in the records, so that workers
/// need not take the list's lock; ended records are removed when the list has doubled in size.
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

    /// Oldest first.
    var all: [Record] { records.filter { !$0.hasEnded.load(ordering: .acquiring) } }

    mutating func removeAll() { records = [] }
}
