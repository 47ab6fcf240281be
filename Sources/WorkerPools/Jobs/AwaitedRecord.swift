// Unsafe code: `end` is written once, before `waiting` says so, and read afterwards. `waiting` holds continuations as words, each
// taken out by the one exchange that ends the job.

import Synchronization

/// A job whose end somebody may wait for. Not generic, because generic code of another module asks the runtime for its types
/// at every turn.
@usableFromInline
class AwaitedRecord: JobRecord, @unchecked Sendable {
    /// What a slot of the kinds of record that have one holds.
    @exclusivity(unchecked) @usableFromInline final var content = ResultSlot.Content.nothing
    /// Those who wait, or that the end has come.
    private let waiting = Atomic(Waiting.nobody.word)
    @exclusivity(unchecked) private final var end = JobEnd.done

    @usableFromInline
    override init(options: JobOptions, hasCallback: Bool = false) { super.init(options: options, hasCallback: hasCallback) }

    @usableFromInline
    override func settle(_ end: JobEnd) {
        self.end = end
        let before = waiting.exchange(Waiting.ended.word, ordering: .acquiringAndReleasing)
        if before != Waiting.nobody.word { Waiting(word: before).resume() }
    }

    @usableFromInline
    final var endIfEnded: JobEnd? { waiting.load(ordering: .acquiring) == Waiting.ended.word ? end : nil }

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
        var seen = waiting.load(ordering: .acquiring)
        while seen != Waiting.ended.word {
            let joined = Waiting(word: seen).joined(by: continuation)
            let (isDone, now) = waiting.compareExchange(
                expected: seen, desired: joined.word, ordering: .acquiringAndReleasing)
            if isDone { return true }
            joined.freeFirst()
            seen = now
        }
        return false
    }
}

/// Those who wait for one end, in a word: most often there is one at most, who then costs no memory.
private struct Waiting {
    /// Continuations are pointers to what is aligned to at least this, so the bit below tells a list from one of them.
    private static let listBit: UInt = 2

    private struct Link {
        let continuation: UnsafeContinuation<Void, Never>
        /// The word that was there before.
        let others: UInt
    }

    let word: UInt

    static let nobody = Waiting(word: 0)
    static let ended = Waiting(word: 1)

    func joined(by continuation: UnsafeContinuation<Void, Never>) -> Waiting {
        if word == Self.nobody.word { return Waiting(word: unsafeBitCast(continuation, to: UInt.self)) }
        let link = UnsafeMutablePointer<Link>.allocate(capacity: 1)
        link.initialize(to: Link(continuation: continuation, others: word))
        return Waiting(word: UInt(bitPattern: link) | Self.listBit)
    }

    /// Whoever joined last is taken back.
    func freeFirst() { link?.deallocate() }

    private var link: UnsafeMutablePointer<Link>? {
        word & Self.listBit == 0 ? nil : UnsafeMutablePointer(bitPattern: word & ~Self.listBit)
    }

    /// In the order in which they came.
    func resume() {
        var rest = self
        var later: [UnsafeContinuation<Void, Never>] = []
        while let link = rest.link {
            let last = link.move()
            link.deallocate()
            later.append(last.continuation)
            rest = Waiting(word: last.others)
        }
        unsafeBitCast(rest.word, to: UnsafeContinuation<Void, Never>.self).resume()
        for continuation in later.reversed() { continuation.resume() }
    }
}
