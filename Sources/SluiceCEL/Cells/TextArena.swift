internal import Glibc

/// Text that cells point into, kept at a fixed address until ``reset()``: memory is handed out from
/// chunks and reused.
///
/// Unsafe memory lives here: a chunk never moves or shrinks, and what `allocate` returns stays
/// valid until `reset` or `deinit`. Vector loads may read 64 bytes past it (whose values mean
/// nothing). Must not be used by two threads at once.
public final class TextArena {
    // One thread at a time, so that accesses need no run-time exclusivity check.
    @exclusivity(unchecked) private var chunks: [UnsafeMutableBufferPointer<UInt8>] = []
    @exclusivity(unchecked) private var chunk = 0
    @exclusivity(unchecked) private var used = 0
    @exclusivity(unchecked) private var total = 0
    private static let chunkBytes = 64 << 10
    private static let padding = 64

    public init() {}

    private static func free(_ chunk: UnsafeMutableBufferPointer<UInt8>) {
        if let start = chunk.baseAddress { Memory.free(start) }
    }

    deinit {
        for chunk in chunks { Self.free(chunk) }
    }

    /// Room for `count` uninitialised bytes. O(1); allocates only when the chunks are full.
    public func allocate(_ count: Int) -> UnsafeMutablePointer<UInt8> {
        total &+= count
        while chunk < chunks.count {
            if used + count <= chunks[chunk].count, let base = chunks[chunk].baseAddress {
                defer { used += count }
                return base + used
            }
            chunk += 1
            used = 0
        }
        let room = max(count, Self.chunkBytes)
        let memory = Memory.allocate(room + Self.padding, of: UInt8.self)
        (memory + room).initialize(repeating: 0, count: Self.padding)
        chunks.append(UnsafeMutableBufferPointer(start: memory, count: room))
        used = count
        return memory
    }

    /// Returns the last `count` bytes of the latest `allocate`, whose caller wrote fewer than it
    /// requested.
    public func giveBack(_ count: Int) {
        used -= count
        total &-= count
    }

    /// The number of bytes handed out since the last ``reset()``. Does not depend on the chunks.
    public var count: Int { total }

    /// What was handed out up to some time.
    public struct Mark {
        fileprivate let chunk: Int
        fileprivate let used: Int
        fileprivate let total: Int

        /// Before anything was handed out.
        static var none: Mark { Mark(chunk: 0, used: 0, total: 0) }

        /// The number of bytes handed out up to then.
        public var count: Int { total }
    }

    public var mark: Mark { Mark(chunk: chunk, used: used, total: total) }

    /// Invalidates all text handed out since the mark. Large chunks are freed.
    public func rewind(to mark: Mark) {
        let last = chunk
        (chunk, used, total) = (mark.chunk, mark.used, mark.total)
        if last > chunk { freeLarge(upTo: last) }
    }

    /// Frees the large chunks after the current one, up to the one that was.
    @inline(never)
    private func freeLarge(upTo last: Int) {
        for index in stride(from: min(last, chunks.count - 1), to: chunk, by: -1) where chunks[index].count > Self.chunkBytes {
            Self.free(chunks.remove(at: index))
        }
    }

    /// Invalidates all text handed out since the mark except `bytes`, which may move. Large chunks
    /// are freed.
    ///
    /// - Returns: where the bytes are now.
    func rewind(to mark: Mark, keeping bytes: UnsafeBufferPointer<UInt8>) -> UnsafePointer<UInt8>? {
        guard let start = bytes.baseAddress, let place = chunkIndex(of: start, since: mark) else {
            rewind(to: mark)
            return bytes.baseAddress
        }
        var kept = Mark(chunk: mark.chunk, used: mark.used, total: mark.total + bytes.count)
        if chunks[kept.chunk].count - kept.used < bytes.count {
            // It becomes the next chunk.
            kept = Mark(chunk: mark.chunk + 1, used: 0, total: kept.total)
            chunks.swapAt(kept.chunk, place)
        }
        guard let base = chunks[kept.chunk].baseAddress else { return bytes.baseAddress }
        memmove(base + kept.used, start, bytes.count)
        rewind(to: Mark(chunk: kept.chunk, used: kept.used + bytes.count, total: kept.total))
        return UnsafePointer(base + kept.used)
    }

    /// The chunk that the text is in; nil if it was not handed out since the mark.
    private func chunkIndex(of text: UnsafePointer<UInt8>, since mark: Mark) -> Int? {
        for index in chunks.indices.dropFirst(mark.chunk) {
            guard let base = chunks[index].baseAddress.map({ UnsafePointer($0) }) else { continue }
            let first = index == mark.chunk ? mark.used : 0
            if text >= base + first, text <= base + chunks[index].count { return index }
        }
        return nil
    }

    /// Room for uninitialised cells, suitably aligned.
    public func allocateCells(_ count: Int) -> UnsafeMutablePointer<Cell> { room(for: count) }

    /// Room for uninitialised numbers, suitably aligned.
    package func allocateNumbers(_ count: Int) -> UnsafeMutablePointer<Int32> { room(for: count) }

    private func room<Element: BitwiseCopyable>(for count: Int) -> UnsafeMutablePointer<Element> {
        let alignment = MemoryLayout<Element>.alignment
        let memory = UnsafeMutableRawPointer(allocate(count * MemoryLayout<Element>.stride + alignment))
        return memory.alignedUp(toMultipleOf: alignment).bindMemory(to: Element.self, capacity: count)
    }

    public func copy(_ bytes: UnsafeBufferPointer<UInt8>) -> UnsafePointer<UInt8> {
        let memory = allocate(bytes.count)
        if let source = bytes.baseAddress { memory.update(from: source, count: bytes.count) }
        return UnsafePointer(memory)
    }

    /// Invalidates all text handed out so far. Keeps at most 1 MiB of chunks.
    public func reset() {
        var kept = 0
        chunks.removeAll { chunk in
            kept += chunk.count
            guard kept > 1 << 20 else { return false }
            Self.free(chunk)
            return true
        }
        chunk = 0
        used = 0
        total = 0
    }
}
