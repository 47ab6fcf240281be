import Glibc
import SluiceCEL

/// A growable byte buffer with padding after the end, so that vector loads may read past it.
///
/// Unsafe memory lives here: `start` is valid for `capacity + padding` bytes from `init` to
/// `deinit`, and growth copies `count` bytes. `@unchecked Sendable`: one owner at a time, as
/// ``Batch`` says. For the same reason exclusivity is not checked at run time; the checks took more
/// than half of the time to write a record.
package final class ByteBuffer: @unchecked Sendable {
    /// The number of bytes after `capacity` that may be read; their values are unspecified.
    package static let padding = 64

    @exclusivity(unchecked) package private(set) var start: UnsafeMutablePointer<UInt8>
    @exclusivity(unchecked) package private(set) var capacity: Int
    @exclusivity(unchecked) package var count = 0

    package init(capacity: Int) {
        self.capacity = capacity
        start = Self.zeroed(capacity + Self.padding)
    }

    deinit {
        free(start)
    }

    /// Allocates with `calloc`, which need not touch pages that the kernel provides zeroed.
    private static func zeroed(_ count: Int) -> UnsafeMutablePointer<UInt8> {
        guard let memory = calloc(count, 1) else { Memory.refused(count) }
        return memory.bindMemory(to: UInt8.self, capacity: count)
    }

    /// The bytes. Valid only while the buffer is alive, which ``withFilled(_:)`` ensures.
    package var filled: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: start, count: count) }

    /// Calls `body` with the bytes and keeps the buffer alive until it returns.
    @inline(__always)
    package func withFilled<Result>(_ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        withExtendedLifetime(self) { body(filled) }
    }

    /// Ensures room for `more` bytes after the last one, at least doubling the capacity if it must
    /// grow. Growth invalidates earlier pointers.
    @inline(__always)
    package func reserve(_ more: Int) {
        if count + more > capacity { grow(more) }
    }

    @inline(never)
    private func grow(_ more: Int) {
        let larger = max(capacity * 2, count + more)
        let memory = Self.zeroed(larger + Self.padding)
        memory.update(from: start, count: count)
        free(start)
        start = memory
        capacity = larger
    }

    @inline(__always)
    package func append(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let source = bytes.baseAddress else { return }
        reserve(bytes.count)
        (start + count).update(from: source, count: bytes.count)
        count += bytes.count
    }

    /// A copy without room for more; itself if it is long, so that there are never two of that
    /// size.
    package func trimmed() -> ByteBuffer {
        guard count < 64 << 10 else { return self }
        let copy = ByteBuffer(capacity: count)
        copy.append(filled)
        return copy
    }

    @inline(__always)
    package func append(_ byte: UInt8) {
        reserve(1)
        start[count] = byte
        count += 1
    }

    @inline(__always)
    package func append(_ text: StaticString) {
        append(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }
}

/// Reusable buffers of one size, so that the kernel need not provide zeroed pages for every batch.
package final class BufferPool: Sendable {
    private let free: FreeList<ByteBuffer>
    private let capacity: Int

    /// - Parameter most: the number of unused buffers to keep.
    package init(capacity: Int, most: Int) {
        self.capacity = capacity
        free = FreeList(most: most)
    }

    /// An empty buffer of at least the pool's capacity.
    package func take() -> ByteBuffer {
        free.take() ?? ByteBuffer(capacity: capacity)
    }

    /// Returns a buffer to the pool. One that is smaller than the pool's buffers, or has grown to
    /// more than four times their size, is freed.
    package func give(_ buffer: ByteBuffer) {
        guard (capacity...4 * capacity).contains(buffer.capacity) else { return }
        buffer.count = 0
        free.give(buffer)
    }
}
