// Unsafe code: a buffer of `JobRun.longest` jobs. Place i is initialised by `fill` under the pool's lock and moved out by
// the one who drew i from the atomic word; `fill` starts only once every place of the last filling has been moved out.

import Synchronization

/// Several short jobs that one worker has taken at once, so that it needs the pool's lock once for all of them.
///
/// The worker takes the next with one atomic addition. Anyone who holds the pool's lock may take jobs that are not begun
/// away again, so a job never waits behind a long one while another worker is free. Refilled only under that lock, and
/// only when nothing in it is waiting.
final class JobRun: @unchecked Sendable {  // place i belongs to whoever drew i; the rest changes under the pool's lock
    static let longest = 32

    /// Jobs drawn, by the worker or by others, in the low half; jobs ended by the worker in the high half; the highest bit
    /// is set once the run is closed. One word, so that counts read under the pool's lock always add up, and that each job
    /// is counted either with the run or, if it ends after the closing, by itself.
    private let drawnAndEnded = Atomic<UInt64>(0)
    private let jobs = UnsafeMutablePointer<Job>.allocate(capacity: longest)
    private var count = 0
    /// Drawn by others than the worker.
    private var takenAway = 0

    /// What has become of the run's jobs.
    struct Tally {
        var waiting: Int
        var running: Int
        var ended: Int
    }

    deinit {
        while takeAway() != nil {}
        jobs.deallocate()
    }

    /// Under the pool's lock, by the worker: `rest` comes after `first`, which is drawn already.
    func fill(after first: Job, with rest: (UnsafeMutablePointer<Job>, _ room: Int) -> Int) {
        count = 1 + rest(jobs + 1, Self.longest - 1)
        takenAway = 0
        drawnAndEnded.store(1, ordering: .releasing)
    }

    /// By the worker: one job has ended, which is the next?
    /// - Returns: also whether the job that has ended was counted with the run.
    func endAndDraw() -> (next: Job?, isCounted: Bool) {
        let before = drawnAndEnded.wrappingAdd(1 << 32 | 1, ordering: .acquiringAndReleasing).oldValue
        return (draw(Int(truncatingIfNeeded: before & 0xFFFF_FFFF)), before & Self.closed == 0)
    }

    /// Under the pool's lock, once nothing waits in it.
    /// - Returns: how many jobs have ended and are counted with the run.
    func close() -> Int {
        let word = drawnAndEnded.bitwiseOr(Self.closed, ordering: .acquiringAndReleasing).oldValue
        return tally(of: word).ended
    }

    /// Under the pool's lock: takes the next job away from the worker.
    func takeAway() -> Job? {
        guard waiting > 0 else { return nil }
        let before = drawnAndEnded.wrappingAdd(1, ordering: .acquiringAndReleasing).oldValue
        guard let job = draw(Int(truncatingIfNeeded: before & 0xFFFF_FFFF)) else { return nil }
        takenAway += 1
        return job
    }

    /// Under the pool's lock.
    var tally: Tally { tally(of: drawnAndEnded.load(ordering: .acquiring)) }

    private static var closed: UInt64 { 1 << 63 }

    private func tally(of word: UInt64) -> Tally {
        let drawn = min(Int(truncatingIfNeeded: word & 0xFFFF_FFFF), count)
        // A failed draw of the worker still counts the job that ended before it.
        let ended = min(Int(truncatingIfNeeded: (word & ~Self.closed) >> 32), drawn - takenAway)
        return Tally(waiting: count - drawn, running: drawn - takenAway - ended, ended: ended)
    }

    var waiting: Int {
        max(0, count - Int(truncatingIfNeeded: drawnAndEnded.load(ordering: .acquiring) & 0xFFFF_FFFF))
    }

    private func draw(_ index: Int) -> Job? {
        index < count ? (jobs + index).move() : nil
    }
}
