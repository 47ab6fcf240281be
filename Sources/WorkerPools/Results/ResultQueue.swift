import DequeModule
import Synchronization

/// The jobs of a stream between their submitter and the reader of their results.
///
/// Not generic, because generic code in another module looks up its type metadata at run time on
/// every use.
struct ResultQueue {
    let window: Int
    /// The submitter is woken when there is room for this many jobs again. That keeps wake-ups few,
    /// but never leaves so few jobs in progress that a worker has nothing to do.
    let leastRoom: Int
    private let isOrdered: Bool
    /// Ordered: all jobs that the reader has not taken yet. Unordered: those of them that have a
    /// result.
    private var records: Deque<ChannelRecord> = []
    private var open = OpenRecords<ChannelRecord>()
    private var issued = 0
    private var taken = 0
    private var read = 0
    private var hasEnded = false
    private var error: (any Error)?
    private(set) var isAbandoned = false
    private var pump: UnsafeContinuation<Void, Never>?
    private var reader: UnsafeContinuation<Void, Never>?

    init(window: Int, workers: Int, isOrdered: Bool) {
        self.window = window
        self.isOrdered = isOrdered
        leastRoom = max(1, min(window / 2, window - workers))
    }

    var room: Int { isAbandoned ? 0 : window - (issued - read) }

    /// - Returns: false if the reader is gone.
    mutating func issue(_ record: ChannelRecord) -> Bool {
        guard !isAbandoned else { return false }
        issued += 1
        open.add(record)
        guard isOrdered else { return true }
        if reader != nil, records.isEmpty { record.isAwaited.store(true, ordering: .sequentiallyConsistent) }
        records.append(record)
        return true
    }

    /// The pool has not accepted the job that was issued last.
    mutating func withdraw(_ record: ChannelRecord) {
        record.hasEnded.store(true, ordering: .releasing)
        issued -= 1
        if isOrdered { _ = records.popLast() }
    }

    /// A job has its result, if the reader takes results as they become available.
    mutating func put(_ record: ChannelRecord) -> UnsafeContinuation<Void, Never>? {
        guard !isAbandoned else { return nil }
        records.append(record)
        return takeReader()
    }

    /// No more jobs come; the reader gets the error after all results.
    mutating func end(_ error: (any Error)?) -> UnsafeContinuation<Void, Never>? {
        hasEnded = true
        self.error = error
        return takeReader()
    }

    /// The job whose result an ordered reader needs next.
    var first: ChannelRecord? { records.first }

    /// All results that the reader can have now, the next one last.
    mutating func takeReady() -> [ChannelRecord] {
        var ready: [ChannelRecord] = []
        while let first = records.first, first.hasEnded.load(ordering: .acquiring) {
            ready.append(first)
            records.removeFirst()
        }
        taken += ready.count
        return ready.reversed()
    }

    /// How the stream ends, once all results are taken.
    var ending: Result<Void, any Error>? {
        guard hasEnded, taken == issued else { return nil }
        return error.map { .failure($0) } ?? .success(())
    }

    mutating func noteRead(_ count: Int) -> UnsafeContinuation<Void, Never>? {
        read += count
        guard room >= leastRoom else { return nil }
        defer { pump = nil }
        return pump
    }

    /// - Returns: false if there is room, or the reader is gone.
    mutating func waitForRoom(_ continuation: UnsafeContinuation<Void, Never>) -> Bool {
        guard !isAbandoned, room == 0 else { return false }
        pump = continuation
        return true
    }

    /// - Returns: false if there is something to read.
    mutating func waitForResult(_ continuation: UnsafeContinuation<Void, Never>) -> Bool {
        guard !isAbandoned, ending == nil else { return false }
        if let first = records.first {
            // The thread that ends the job checks this afterwards, and then the reader.
            first.isAwaited.store(true, ordering: .sequentiallyConsistent)
            if first.hasEnded.load(ordering: .sequentiallyConsistent) { return false }
        }
        reader = continuation
        return true
    }

    /// The reader is gone.
    /// - Returns: the waiting tasks, and the jobs that are left.
    mutating func abandon() -> (waiting: [UnsafeContinuation<Void, Never>], left: [ChannelRecord]) {
        isAbandoned = true
        let waiting = [pump, reader].compactMap(\.self)
        let left = open.all
        pump = nil
        reader = nil
        open.removeAll()
        records = []
        return (waiting, left)
    }

    mutating func takeReader() -> UnsafeContinuation<Void, Never>? {
        defer { reader = nil }
        return reader
    }
}
