import Glibc

/// The bytes of an input as they are read: what comes next, what may be looked at ahead of it, and
/// what has just passed.
///
/// Unsafe memory lives here: `memory` holds `capacity` bytes, `lowest ... cursor ... end` are
/// indices into it, and everything handed out lies between them and is good until the next call
/// that may read.
final class InputWindow {
    /// Fills the memory with the next bytes: how many, 0 at the end, or a negative `errno`.
    typealias Reading = (UnsafeMutableRawBufferPointer) -> Int

    /// Bytes that have passed and can be gone back to.
    static let history = 64 << 10
    /// Most bytes that can be looked at ahead.
    static let ahead = 128 << 10

    private let read: Reading
    private let chunk: Int
    private let capacity: Int
    private let memory: UnsafeMutablePointer<UInt8>
    private var cursor = 0
    private var end = 0
    private var endPosition: UInt64 = 0
    /// The input's end, or an error, was met after the bytes that are here.
    private(set) var isComplete = false
    /// Why reading ended early.
    private(set) var failure: Int32?

    /// - Parameter chunk: bytes asked for at a time.
    init(chunk: Int = 256 << 10, read: @escaping Reading) {
        self.read = read
        self.chunk = chunk
        capacity = Self.history + Self.ahead + chunk
        memory = .allocate(capacity: capacity)
    }

    deinit {
        memory.deallocate()
    }

    /// Where the next byte stands in the input, from 0.
    var position: UInt64 { endPosition - UInt64(end - cursor) }

    /// The next bytes, as many as are here.
    var available: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: memory + cursor, count: end - cursor) }

    /// The first position that can be gone back to.
    var firstPosition: UInt64 { position - UInt64(min(cursor, Self.history)) }

    /// Reads on if nothing is here; false at the end of the input.
    func fill() -> Bool {
        while cursor == end {
            guard readChunk() else { return false }
        }
        return true
    }

    /// The next bytes, at least `count` of them (``ahead`` at most) unless the input ends before.
    func look(ahead count: Int) -> UnsafeBufferPointer<UInt8> {
        while end - cursor < min(count, Self.ahead), readChunk() {}
        return available
    }

    /// Moves over `count` available bytes, or back over bytes that have just passed.
    func advance(by count: Int) {
        cursor += count
        precondition(cursor >= 0 && cursor <= end, "an input window was moved out of its bytes")
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
