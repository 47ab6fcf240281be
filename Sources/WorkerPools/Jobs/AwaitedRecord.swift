// Unsafe code: `end` and `waiting` are only touched with `lock` held.

/// A job whose end somebody may wait for. Not generic, because generic code of another module asks the runtime for its types
/// at every turn.
@usableFromInline
class AwaitedRecord: JobRecord, @unchecked Sendable {
    private let lock = LockWord(.mutex)
    @exclusivity(unchecked) private var end: JobEnd?
    /// Most often there is one at most.
    @exclusivity(unchecked) private var waiting: UnsafeContinuation<Void, Never>?
    @exclusivity(unchecked) private var alsoWaiting: [UnsafeContinuation<Void, Never>]?

    @usableFromInline
    override init(options: JobOptions) { super.init(options: options) }

    @usableFromInline
    override func settle(_ end: JobEnd) {
        lock.lock()
        self.end = end
        let (waiting, alsoWaiting) = (waiting, alsoWaiting)
        self.waiting = nil
        self.alsoWaiting = nil
        lock.unlock()
        if let then {
            then(end)
            self.then = nil
        }
        waiting?.resume()
        if let alsoWaiting { for continuation in alsoWaiting { continuation.resume() } }
    }

    /// Called once when the job has ended, before those who wait are woken. Set before the job is submitted.
    @exclusivity(unchecked) @usableFromInline var then: (@Sendable (JobEnd) -> Void)?

    @usableFromInline
    var endIfEnded: JobEnd? {
        lock.lock()
        defer { lock.unlock() }
        return end
    }

    func waitForEnd() async -> JobEnd {
        while true {
            if let end = endIfEnded { return end }
            await withUnsafeContinuation { continuation in
                if !wait(with: continuation) { continuation.resume() }
            }
        }
    }

    private func wait(with continuation: UnsafeContinuation<Void, Never>) -> Bool {
        lock.lock()
        defer { lock.unlock() }
        guard end == nil else { return false }
        if waiting == nil { waiting = continuation } else { alsoWaiting = (alsoWaiting ?? []) + [continuation] }
        return true
    }
}
