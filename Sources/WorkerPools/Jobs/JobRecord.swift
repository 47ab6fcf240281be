// Unsafe code: `phase` and `isCancelRequested` are guarded by locks that are not here, see below;
// `end` is written once, before `progress` says so.

import Synchronization

/// What the pool knows about a job beyond its closure.
@usableFromInline
class JobRecord: @unchecked Sendable {  // see above
    enum Phase {
        /// Not accepted yet.
        case submitted
        case queued
        case running(slot: Int)
        /// Between two attempts.
        case delayed(ticket: UInt64)
        /// Run by its submitter.
        case inCaller
        case decided
    }

    /// Whether the end is known, and whether a task waits for it.
    private enum Progress: UInt8, AtomicRepresentable { case open, awaited, ended }

    @usableFromInline typealias EndAction = @Sendable (JobRecord, JobEnd) -> Void

    /// What remains of the job's options once it has its place in the queue.
    let details: JobOptions.Details?
    /// Changed under the lock of the structure that holds the job: a prefetch queue or the pool.
    /// Others read it with all of these locks held. The same goes for `isCancelRequested`.
    @exclusivity(unchecked) var phase = Phase.submitted
    @exclusivity(unchecked) var isCancelRequested = false
    private let progress = Atomic(Progress.open)
    @exclusivity(unchecked) private var end: JobEnd?
    /// Called with the end, before anything else learns of it.
    @exclusivity(unchecked) private var onEnd: EndAction?

    @usableFromInline
    init(options: JobOptions, onEnd: EndAction? = nil) {
        details = options.details
        self.onEnd = onEnd
    }

    /// What the job does, for running it after the pool has ended it; nil if that is the closure in
    /// the queue. Several callers may run it at once, so it keeps no result.
    @usableFromInline
    var undone: (@Sendable () async throws -> Void)? { nil }

    /// The job will not run again.
    @usableFromInline
    func releaseWork() {}

    /// Announces the end to those waiting for it. Called exactly once, outside the pool's locks.
    /// - Parameter waits: where the tasks are that wait for a record.
    final func announce(_ end: JobEnd, _ waits: EndWaits) {
        switch end {
        case .done, .failed: releaseWork()
        case .stopped: break
        }
        onEnd?(self, end)
        onEnd = nil
        self.end = end
        let before = progress.exchange(Progress.ended, ordering: .acquiringAndReleasing)
        precondition(before != Progress.ended, "a job ended twice")
        if before == Progress.awaited { waits.resumeAll(of: self) }
    }

    @usableFromInline
    final var endIfEnded: JobEnd? { progress.load(ordering: .acquiring) == Progress.ended ? end : nil }

    /// - Returns: false if the job has ended.
    fileprivate final func expectWaiter() -> Bool {
        let (isExchanged, before) = progress.compareExchange(
            expected: Progress.open, desired: Progress.awaited, ordering: .acquiringAndReleasing)
        return isExchanged || before == Progress.awaited
    }
}

/// The tasks that wait for the ends of jobs. Apart from the records, because nearly all have ended
/// by the time that they are asked.
final class EndWaits: Sendable {
    private let waiting = Guarded<[ObjectIdentifier: [UnsafeContinuation<Void, Never>]]>([:])

    func waitForEnd(of record: JobRecord) async -> JobEnd {
        while true {
            if let end = record.endIfEnded { return end }
            await suspend { continuation in
                waiting.withLock { waiting in
                    guard record.expectWaiter() else { return false }
                    waiting[ObjectIdentifier(record), default: []].append(continuation)
                    return true
                }
            }
        }
    }

    fileprivate func resumeAll(of record: JobRecord) {
        let continuations = waiting.withLock { $0.removeValue(forKey: ObjectIdentifier(record)) }
        for continuation in continuations ?? [] { continuation.resume() }
    }
}
