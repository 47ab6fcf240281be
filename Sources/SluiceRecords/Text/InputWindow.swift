import Glibc

/// A window on the bytes of an input: the next bytes, a limited lookahead, and a limited history.
///
/// Unsafe memory lives here: `memory` holds `capacity` bytes, `cursor` and `end` are indices into
/// it, and everything returned is between them and valid until the next call that may read.
final class InputWindow {
    /// Fills the memory with the next bytes. Returns their count, 0 at the end, or a negative
    /// `errno`.
    typealias Reading = (UnsafeMutableRawBufferPointer) -> Int

    /// The number of past bytes that the window can move back to.
    static let history = 64 << 10
    /// The limit of lookahead in bytes.
    static let ahead = 128 << 10

    /// The usual number of bytes per read.
    static let chunk = 256 << 10

    private let read: Reading
    private let chunk: Int
    private let capacity: Int
    private let memory: UnsafeMutablePointer<UInt8>
    private var cursor = 0
    private var end = 0
    private var endPosition: UInt64
    /// Whether the available bytes end with the end of the input, or at an error.
    private(set) var isComplete = false
    /// The `errno` of a read error.
    private(set) var failure: Int32?

    /// - Parameters:
    ///   - start: the offset in the input of the first byte that is read.
    ///   - chunk: the number of bytes per read.
    init(from start: UInt64 = 0, chunk: Int = chunk, read: @escaping Reading) {
        endPosition = start
        self.read = read
        self.chunk = chunk
        capacity = Self.history + Self.ahead + chunk
        memory = .allocate(capacity: capacity)
    }

    deinit {
        memory.deallocate()
    }

    /// The offset of the next byte in the input.
    var position: UInt64 { endPosition - UInt64(end - cursor) }

    /// The next bytes, as many as are in memory.
    var available: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: memory + cursor, count: end - cursor) }

    /// The first position that the window can move back to.
    var firstPosition: UInt64 { position - UInt64(min(cursor, Self.history)) }

    /// Reads if no byte is available. Returns false at the end of the input.
    func fill() -> Bool {
        while cursor == end {
            guard readChunk() else { return false }
        }
        return true
    }

    /// The next bytes: at least `count` (but at most ``ahead``), unless the input ends earlier.
    func look(ahead count: Int) -> UnsafeBufferPointer<UInt8> {
        while end - cursor < min(count, Self.ahead), readChunk() {}
        return available
    }

    /// Moves forward over `count` available bytes, or back if negative.
    func advance(by count: Int) {
        cursor += count
        precondition(cursor >= 0 && cursor <= end, "the cursor of an input window must stay within its bytes")
    }

    func move(to position: UInt64) {
        advance(by: Int(Int64(position) - Int64(self.position)))
    }

    private func readChunk() -> Bool {
        guard !isComplete else { return false }
        if end + chunk > capacity {
            let lowest = max(0, cursor - Self.history)
            memmove(memory, memory + lowest, end - lowest)
            cursor -= lowest
            end -= lowest
        }
        let count = read(UnsafeMutableRawBufferPointer(start: memory + end, count: chunk))
        if count <= 0 {
            isComplete = true
            if count < 0 { failure = Int32(-count) }
            return false
        }
        end += count
        endPosition += UInt64(count)
        return true
    }
}
