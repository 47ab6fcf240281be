import CBytes
import Sluice
import Synchronization
import WorkerPools

/// Inflates the blocks of a member on other threads before ``GzipText`` comes to them.
///
/// A block here is the data between two flushes (``FlushMarks``). If it inflates from its first
/// byte, with nothing before it to refer to, and ends exactly between two deflate blocks, then a
/// reader that arrives at its first byte between two deflate blocks would read the same text. So
/// `GzipText` takes the text of a block only there, and inflates itself what it is not given:
/// blocks that are damaged, too large, or refer to earlier ones, as those of most programs do. What
/// is read is the same with and without helpers.
///
/// Blocks are claimed in order. A block that is not claimed yet when its reader comes to it is left
/// to the reader, so nothing waits for a thread that is busy with something else.
final class BlocksAhead: Sendable {
    /// A place for jobs.
    struct Helpers: Sendable {
        /// The number of jobs that may run at the same time now.
        var count: @Sendable () -> Int
        /// Runs a job at some time, or never.
        var run: @Sendable (@escaping @Sendable () -> Void) -> Void
        /// The largest number of blocks that are held, with their text.
        var mostBlocks: Int
    }

    /// The text of a block.
    struct Inflated {
        var text: ByteBuffer
        var checksum: TextChecksum
        /// The position after the block, in bytes of the file.
        var end: UInt64
    }

    /// The sizes of blocks that are worth it, in compressed bytes.
    fileprivate static let byteCounts = 4 << 10...1 << 20
    /// The sizes of their texts. A text fills the history that data after it may refer to.
    private static let textCounts = InflateHistory.count...4 << 20
    /// The number of smaller blocks that are passed at a time.
    fileprivate static let mostPassed = 16
    /// After this many blocks in a row that are none, the member is left to its reader.
    fileprivate static let mostFailures = 2

    fileprivate enum Progress {
        case claimed, failed
        case inflated(Inflated)
    }

    fileprivate struct Block {
        var start: UInt64
        var progress = Progress.claimed
    }

    fileprivate struct State {
        /// Those that are claimed and not taken, in order.
        var blocks: [Block] = []
        /// Where the first block begins that is not claimed.
        var next: UInt64 = 0
        /// Whether that block is left to the reader.
        var isNextTaken = true
        /// Whether no block can be found there until the reader has come further.
        var isAtEnd = false
        /// The number of jobs that have not claimed a block yet.
        var waiting = 0
        var failures = 0
        /// The number of the member: what was begun for an earlier one is dropped.
        var member = 0
        var isStopped = false
        var isPaused = false
    }

    private let bytes: any InputBytes
    private let library: DeflateLibrary
    private let helpers: Helpers
    private let state = Locked(State())
    private let change = ParkingSpot()
    private let texts: BufferPool
    private let datas: BufferPool
    private let inflaters: FreeList<any Inflater>

    /// - Parameter bytes: a file that can be read at any position.
    init(_ bytes: any InputBytes, library: DeflateLibrary, helpers: Helpers) {
        self.bytes = bytes
        self.library = library
        self.helpers = helpers
        datas = BufferPool(capacity: 256 << 10, most: helpers.mostBlocks)
        texts = BufferPool(capacity: Batch.targetBytes + 64 << 10, most: helpers.mostBlocks)
        inflaters = FreeList(most: helpers.mostBlocks)
    }

    /// To be called where a member begins.
    func beginMember() {
        state.withLock { state in
            state.member += 1
            state.blocks.removeAll()
            (state.next, state.failures) = (0, 0)
        }
    }

    /// The text of the block that begins at `start`, where the reader is right after a flush; `nil`
    /// if the reader is to inflate it. Lets the helpers begin with the blocks after it.
    func take(from start: UInt64) -> Inflated? {
        while true {
            let found = state.withLock { $0.take(from: start) }
            switch found {
            case .claimed:
                change.park(until: nil)
            case .inflated(let inflated):
                callHelpers()
                return inflated
            case .failed, nil:
                callHelpers()
                return nil
            }
        }
    }

    func giveBack(_ text: ByteBuffer) { texts.give(text) }

    /// Gives no blocks until it is resumed. A record that may be a bomb (``BombLimit``) is read
    /// without helpers, so that where it is given up doesn't depend on them.
    func pause() {
        state.withLock { state in
            state.isPaused = true
            state.blocks.removeAll()
        }
    }

    func resume() { state.withLock { $0.isPaused = false } }

    /// To be called before the file is closed: it is not read any more from then on.
    func stop() {
        state.withLock { state in
            state.isStopped = true
            state.blocks.removeAll()
        }
    }

    private func callHelpers() {
        let count = state.withLock { state in
            guard state.mayClaim else { return 0 }
            let busy = state.waiting + state.blocks.count { if case .claimed = $0.progress { true } else { false } }
            let count = max(0, min(helpers.count() - busy, helpers.mostBlocks - state.waiting - state.blocks.count))
            state.waiting += count
            return count
        }
        for _ in 0..<count { helpers.run { self.inflateNext() } }
    }

    private func inflateNext() {
        let data = datas.take()
        defer { datas.give(data) }
        guard let claim = state.withLock({ $0.claim(of: bytes, into: data) }) else { return }
        let inflated = inflate(data, from: claim.start)
        state.withLock { $0.finish(claim, inflated) }
        change.unpark()
    }

    private func inflate(_ data: ByteBuffer, from start: UInt64) -> Inflated? {
        let inflater = inflaters.take() ?? library.makeInflater()
        defer { inflaters.give(inflater) }
        inflater.reset()
        let text = texts.take()
        var checksum = TextChecksum()
        let isWhole = data.withFilled { data in
            var rest = data
            while true {
                text.reserve(1)
                // Few enough bytes to be in the cache when their CRC is computed.
                let room = UnsafeMutableBufferPointer(start: text.start + text.count, count: min(256 << 10, text.capacity - text.count))
                let step = inflater.inflate(rest, into: room)
                checksum.crc = inflater.checksum(checksum.crc, of: UnsafeBufferPointer(rebasing: UnsafeBufferPointer(room)[..<step.produced]))
                text.count += step.produced
                rest = UnsafeBufferPointer(rebasing: rest[max(0, step.consumed)...])
                switch step.state {
                case .needsInput: return rest.isEmpty && inflater.isBetweenBlocks && Self.textCounts.contains(text.count)
                case .outputFull where text.count < Self.textCounts.upperBound: continue
                case .outputFull, .ended, .corrupt: return false
                }
            }
        }
        guard isWhole else {
            texts.give(text)
            return nil
        }
        checksum.count = UInt64(text.count)
        return Inflated(text: text, checksum: checksum, end: start + UInt64(data.count))
    }
}

extension BlocksAhead {
    /// - Returns: `nil` if nobody helps, or the input is no file, or a small one.
    convenience init?(_ bytes: any InputBytes, _ configuration: BatchReader.Configuration) {
        guard let helpers = configuration.helpers, bytes.readsAnywhere, let size = bytes.size, size > 2 * Self.byteCounts.upperBound else { return nil }
        self.init(bytes, library: configuration.library, helpers: helpers)
    }
}

extension BlocksAhead.State {
    fileprivate var mayClaim: Bool { !isStopped && !isPaused && !isAtEnd && failures < BlocksAhead.mostFailures }

    /// - Returns: `nil` if the block is not claimed, and then never will be.
    fileprivate mutating func take(from start: UInt64) -> BlocksAhead.Progress? {
        blocks.removeAll { $0.start < start }
        // The reader is where no helper has been.
        if start >= next { (next, isNextTaken, isAtEnd) = (start, true, false) }
        guard let first = blocks.first, first.start == start else { return nil }
        if case .claimed = first.progress { return .claimed }
        blocks.removeFirst()
        return first.progress
    }

    fileprivate struct Claim {
        var start: UInt64
        var member: Int
    }

    /// Claims the next block and reads its data.
    ///
    /// - Returns: `nil` if there is none.
    fileprivate mutating func claim(of bytes: any InputBytes, into data: ByteBuffer) -> Claim? {
        waiting -= 1
        guard mayClaim else { return nil }
        var passed = 0
        while true {
            guard readBlock(of: bytes, into: data) else { return nil }
            if !isNextTaken, data.count >= BlocksAhead.byteCounts.lowerBound { break }
            isNextTaken = false
            next += UInt64(data.count)
            data.count = 0
            passed += 1
            guard passed < BlocksAhead.mostPassed else { return nil }
        }
        defer { next += UInt64(data.count) }
        blocks.append(BlocksAhead.Block(start: next))
        return Claim(start: next, member: member)
    }

    /// Reads from ``next`` to the end of the next marker.
    private mutating func readBlock(of bytes: any InputBytes, into data: ByteBuffer) -> Bool {
        let left = bytes.size.map { $0 > next ? Int(min($0 - next, UInt64(BlocksAhead.byteCounts.upperBound))) : 0 } ?? 0
        let marker = FlushMarks.marker
        while data.count < left {
            let count = min(data.count == 0 ? 32 << 10 : 128 << 10, left - data.count)
            data.reserve(count)
            let more = UnsafeMutableRawBufferPointer(start: data.start + data.count, count: count)
            guard bytes.read(at: next + UInt64(data.count), into: more) else { break }
            let from = max(0, data.count - marker.count + 1)
            data.count += count
            let found = data.withFilled { cbytes_find($0.baseAddress.map { $0 + from }, $0.count - from, marker, marker.count) }
            guard found < 0 else {
                data.count = from + found + marker.count
                return true
            }
        }
        isAtEnd = true
        return false
    }

    fileprivate mutating func finish(_ claim: Claim, _ inflated: BlocksAhead.Inflated?) {
        guard claim.member == member, let index = blocks.firstIndex(where: { $0.start == claim.start }) else { return }
        failures = inflated == nil ? failures + 1 : 0
        blocks[index].progress = inflated.map { .inflated($0) } ?? .failed
    }
}
