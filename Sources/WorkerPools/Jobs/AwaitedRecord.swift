// Unsafe code: `state` holds continuations as words, each taken out by the one exchange that ends the job, and then may hold a
// reference, which `deinit` lets go of.

import Synchronization

/// A job whose end somebody may wait for. Not generic, because generic code of another module asks the runtime for its types
/// at every turn.
@usableFromInline
class AwaitedRecord: JobRecord, @unchecked Sendable {
    /// What a slot of the kinds of record that have one holds.
    @exclusivity(unchecked) @usableFromInline final var content = ResultSlot.Content.nothing
    /// Those who wait, or the end when it has come.
    private final let state = Atomic(AwaitedState.empty.word)

    @usableFromInline
    override init(options: JobOptions, hasCallback: Bool = false) { super.init(options: options, hasCallback: hasCallback) }

    deinit { AwaitedState(word: state.load(ordering: .acquiring)).freeEnd() }

    @usableFromInline
    override func settle(_ end: JobEnd) {
        let before = state.exchange(AwaitedState.ended(end).word, ordering: .acquiringAndReleasing)
        guard before != AwaitedState.empty.word else { return }
        precondition(AwaitedState(word: before).end == nil, "a job ended twice")
        AwaitedState(word: before).resumeAll()
    }

    @usableFromInline
    final var endIfEnded: JobEnd? { AwaitedState(word: state.load(ordering: .acquiring)).end }

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
        var seen = AwaitedState(word: state.load(ordering: .acquiring))
        while seen.end == nil {
            let joined = seen.joined(by: continuation)
            let (isDone, now) = state.compareExchange(
                expected: seen.word, desired: joined.word, ordering: .acquiringAndReleasing)
            if isDone { return true }
            joined.freeLink()
            seen = AwaitedState(word: now)
        }
        return false
    }
}

/// Those who wait for a job's end, or the end, in one word. Most often one waits at most and the job succeeds, which costs no
/// memory.
private struct AwaitedState {
    /// What a word points to is aligned to at least this, so the bits below tell what it is. Without one it is a continuation.
    private static let endBit: UInt = 1
    private static let listBit: UInt = 2

    private struct Link {
        let continuation: UnsafeContinuation<Void, Never>
        /// The word that was there before.
        let previous: UInt
    }

    private final class Failure {
        let end: JobEnd
        init(_ end: JobEnd) { self.end = end }
    }

    let word: UInt

    static let empty = AwaitedState(word: 0)

    static func ended(_ end: JobEnd) -> AwaitedState {
        if case .done = end { return AwaitedState(word: endBit) }
        return AwaitedState(word: UInt(bitPattern: Unmanaged.passRetained(Failure(end)).toOpaque()) | endBit)
    }

    private var failure: Unmanaged<Failure>? {
        guard word & Self.endBit != 0, let pointer = UnsafeRawPointer(bitPattern: word & ~Self.endBit) else { return nil }
        return Unmanaged<Failure>.fromOpaque(pointer)
    }

    var end: JobEnd? {
        if word & Self.endBit == 0 { return nil }
        return failure?.takeUnretainedValue().end ?? .done
    }

    func freeEnd() { failure?.release() }

    func joined(by continuation: UnsafeContinuation<Void, Never>) -> AwaitedState {
        if word == Self.empty.word { return AwaitedState(word: unsafeBitCast(continuation, to: UInt.self)) }
        let link = UnsafeMutablePointer<Link>.allocate(capacity: 1)
        link.initialize(to: Link(continuation: continuation, previous: word))
        return AwaitedState(word: UInt(bitPattern: link) | Self.listBit)
    }

    /// Takes back what the last to join needed.
    func freeLink() { link?.deallocate() }

    private var link: UnsafeMutablePointer<Link>? {
        word & Self.listBit == 0 ? nil : UnsafeMutablePointer(bitPattern: word & ~Self.listBit)
    }

    /// In the order in which they came.
    func resumeAll() {
        var rest = self
        var later: [UnsafeContinuation<Void, Never>] = []
        while let link = rest.link {
            let last = link.move()
            link.deallocate()
            later.append(last.continuation)
            rest = AwaitedState(word: last.previous)
        }
        unsafeBitCast(rest.word, to: UnsafeContinuation<Void, Never>.self).resume()
        for continuation in later.reversed() { continuation.resume() }
    }
}
