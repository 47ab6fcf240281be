// Unsafe code: `end` is written once, before `stage` says so, and read afterwards; who waits is only touched with `lock` held.

import Synchronization

/// A job whose end somebody may wait for. Not generic, because generic code of another module asks the runtime for its types
/// at every turn.
@usableFromInline
class AwaitedRecord: JobRecord, @unchecked Sendable {
    private enum Stage: UInt8, AtomicRepresentable {
        case open
        /// Somebody waits for the end.
        case awaited
        case ended
    }

    private let stage = Atomic(Stage.open)
    @exclusivity(unchecked) private var end = JobEnd.done
    private let lock = LockWord(.mutex)
    /// Most often one waits at most.
    @exclusivity(unchecked) private var waiting: UnsafeContinuation<Void, Never>?
    @exclusivity(unchecked) private var alsoWaiting: [UnsafeContinuation<Void, Never>] = []

    @usableFromInline
    override init(options: JobOptions) { super.init(options: options) }

    @usableFromInline
    override func settle(_ end: JobEnd) {
        self.end = end
        guard stage.exchange(.ended, ordering: .acquiringAndReleasing) == .awaited else { return }
        lock.lock()
        let (first, others) = (waiting, alsoWaiting)
        waiting = nil
        alsoWaiting = []
        lock.unlock()
        first?.resume()
        for continuation in others { continuation.resume() }
    }

    @usableFromInline
    final var endIfEnded: JobEnd? { stage.load(ordering: .acquiring) == .ended ? end : nil }

    final func waitForEnd() async -> JobEnd {
        while true {
            if let end = endIfEnded { return end }
            await withUnsafeContinuation { continuation in
                if !wait(with: continuation) { continuation.resume() }
            }
        }
    }

    /// - Returns: false if the end has come first.
    private func wait(with continuation: UnsafeContinuation<Void, Never>) -> Bool {
        lock.lock()
        defer { lock.unlock() }
        // Whoever settles the job looks for us after the exchange, so either it finds us or we find the end.
        let before = stage.compareExchange(expected: .open, desired: .awaited, ordering: .acquiringAndReleasing)
        guard before.exchanged || before.original == .awaited else { return false }
        if waiting == nil { waiting = continuation } else { alsoWaiting.append(continuation) }
        return true
    }
}
