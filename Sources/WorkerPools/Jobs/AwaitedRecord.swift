// Unsafe code: `state` stores continuations as words, each taken out by the one exchange that ends
// the job. After that it may hold a reference, which `deinit` releases.

import Synchronization

/// A job whose end can be awaited. Not generic, because generic code in another module looks up its
/// type metadata at run time on every use.
@usableFromInline
class AwaitedRecord: JobRecord, @unchecked Sendable {
    /// What the result slot holds, in the subclasses that have one.
    @exclusivity(unchecked) @usableFromInline final var content = ResultSlot.Content.nothing
    /// The waiters, or the end once it is known.
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

    /// - Returns: false if the job ended first.
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

/// The waiters for a job's end, or the end itself, in one word. The common case, at most one waiter
/// and a job that succeeds, allocates nothing.
private struct AwaitedState {
    /// Pointers are aligned to at least 4, so the two low bits say what the word is. With neither
    /// set it is a continuation.
    private static let endBit: UInt = 1
    private static let listBit: UInt = 2

    private struct Link {
        let continuation: UnsafeContinuation<Void, Never>
        /// The word before this waiter was added.
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

    /// Frees the link allocated for the last waiter to join.
    func freeLink() { link?.deallocate() }

    private var link: UnsafeMutablePointer<Link>? {
        word & Self.listBit == 0 ? nil : UnsafeMutablePointer(bitPattern: word & ~Self.listBit)
    }

    /// In the order in which they started to wait.
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
