// Unsafe code: `end` and `waiting` are only touched with `lock` held.

/// A job whose end somebody may wait for. Not generic, because generic code of another module asks the runtime for its types
/// at every turn.
@usableFromInline
class AwaitedRecord: JobRecord, @unchecked Sendable {
    private let lock = LockWord(.mutex)
    private var end: JobEnd?
    private var waiting: [UnsafeContinuation<Void, Never>] = []

    @usableFromInline
    override init(options: JobOptions) { super.init(options: options) }

    @usableFromInline
    override func settle(_ end: JobEnd) {
        lock.lock()
        self.end = end
        let waiting = waiting
        self.waiting = []
        lock.unlock()
        then?(end)
        then = nil
        for continuation in waiting { continuation.resume() }
    }

    /// Called once when the job has ended, before those who wait are woken. Set before the job is submitted.
    @usableFromInline var then: (@Sendable (JobEnd) -> Void)?

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
        waiting.append(continuation)
        return true
    }
}
