// Unsafe code: results are written into the spare capacity of an array that is private to this
// buffer and never grows, so its memory stays where it is; `complete` checks that it did. Each
// chunk has a part of that memory, and `held` says how many values the part holds, or that an
// attempt is busy with it: then only that attempt touches the part. The values become the array's
// own when all parts are full; otherwise `deinit` releases those that `held` counts. Attempts
// retain the buffer, so one that outlives the call, because it timed out, still finds its memory.

public import Synchronization

/// The results of a map, each at its element's index.
@usableFromInline
final class ResultBuffer<Value: Sendable>: @unchecked Sendable {  // see above
    @usableFromInline let start: UnsafeMutablePointer<Value>
    private var values: [Value]
    @usableFromInline let call: ChunkedCall
    /// How many values each chunk's part holds, or that an attempt is busy with it.
    private let held: Guarded<[Int]>

    private static var isBusy: Int { -1 }

    @usableFromInline
    init(for call: ChunkedCall) {
        self.call = call
        var memory: UnsafeMutablePointer<Value>?
        values = Array(unsafeUninitializedCapacity: call.count) { buffer, _ in memory = buffer.baseAddress }
        guard let memory else { preconditionFailure("an array with room for \(call.count) values has no memory") }
        start = memory
        held = Guarded(Array(repeating: 0, count: call.chunkCount))
    }

    deinit {
        for (chunk, count) in held.withLock({ $0 }).enumerated() where count > 0 {
            (start + chunk * call.length).deinitialize(count: count)
        }
    }

    /// Makes an attempt at a chunk, until the rest of it is not wanted any more.
    @inlinable
    @inline(__always)
    func fill<Elements: Collection, Failure: Error>(
        _ range: Range<Int>, from elements: Elements, _ transform: (Elements.Element) throws(Failure) -> Value
    ) throws {
        guard var next = take(range) else { return }
        defer { giveBack(range, filledTo: next) }
        var rest = elements[elements.index(elements.startIndex, offsetBy: range.lowerBound)...].makeIterator()
        for _ in range {
            if call.isStopped.load(ordering: .relaxed) { return try call.skipRest() }
            guard let element = rest.next() else { preconditionFailure("a collection ended before its count") }
            next.initialize(to: try transform(element))
            next += 1
        }
    }

    /// The same for asynchronous transforms.
    @inlinable
    @inline(__always)
    func fill<Elements: Collection, Failure: Error>(
        _ range: Range<Int>, from elements: Elements, _ transform: (Elements.Element) async throws(Failure) -> Value
    ) async throws {
        guard var next = take(range) else { return }
        defer { giveBack(range, filledTo: next) }
        var rest = elements[elements.index(elements.startIndex, offsetBy: range.lowerBound)...].makeIterator()
        for _ in range {
            if call.isStopped.load(ordering: .relaxed) { return try call.skipRest() }
            guard let element = rest.next() else { preconditionFailure("a collection ended before its count") }
            next.initialize(to: try await transform(element))
            next += 1
        }
    }

    /// Begins an attempt at a chunk; values of an earlier one are released.
    /// - Returns: where the values go; nil if another attempt is busy with it, or all is complete.
    @usableFromInline
    func take(_ range: Range<Int>) -> UnsafeMutablePointer<Value>? {
        let part = start + range.lowerBound
        let count = held.withLock { exchange(&$0[range.lowerBound / call.length], with: Self.isBusy) }
        guard count != Self.isBusy else { return nil }
        part.deinitialize(count: count)
        return part
    }

    /// Ends the attempt that took the chunk and has put values before `end`.
    @usableFromInline
    func giveBack(_ range: Range<Int>, filledTo end: UnsafeMutablePointer<Value>) {
        let count = end - (start + range.lowerBound)
        held.withLock { $0[range.lowerBound / call.length] = count }
    }

    /// The results, once all chunks are full; they are not copied.
    @usableFromInline
    func complete() -> [Value] {
        let total = held.withLock { exchange(&$0, with: Array(repeating: Self.isBusy, count: $0.count)).reduce(0, +) }
        precondition(total == call.count, "a successful map has \(total) of \(call.count) results")
        values.append(addingCapacity: total) { span in
            span.withUnsafeMutableBufferPointer { buffer, count in
                precondition(buffer.baseAddress == start, "an array with room for its elements has moved")
                count = total
            }
        }
        return exchange(&values, with: [])
    }
}
