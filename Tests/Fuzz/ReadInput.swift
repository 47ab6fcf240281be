import Foundation

@testable import SluiceRecords

/// What reading an input returned.
struct ReadInput: Equatable {
    private var frames: [[UInt8]] = []
    private var places: [UInt64] = []
    /// The names of the files in an archive, by record.
    private var names: [String] = []
    private var spilled: [String] = []
    private var damage: [Damage] = []
    private var setAside = 0
    var error: InputError?
    var summary: InputSummary?

    /// Adds the records of a batch. They must be within the batch and its limit.
    mutating func add(_ batch: Batch, maxRecord: Int) {
        var end = 0
        for frame in batch.frames {
            let (start, count) = (Int(frame.start), Int(frame.count))
            require(start >= end && start + count <= batch.bytes.count, "a record outside of its batch")
            require(count <= maxRecord, "a record over the limit")
            end = start + count
            frames.append(Array(UnsafeBufferPointer(start: batch.bytes.start + start, count: count)))
            places.append(batch.offset + UInt64(start))
            if let name = batch.name { names.append(name.text) }
        }
        for record in batch.spilled {
            spilled.append("\(record.reason) \(record.byteCount) \(record.beforeFrame)")
            unlink(record.spill)
        }
        damage += batch.damage
        setAside += batch.setAside.reduce(0) { $0 + $1.count }
    }
}

/// Bytes that are read a few at a time.
final class PieceBytes: InputBytes, @unchecked Sendable {
    private var rest: ArraySlice<UInt8>
    private let piece: Int
    let size: UInt64?

    init(_ bytes: [UInt8], _ piece: Int) {
        rest = bytes[...]
        self.piece = piece
        size = UInt64(bytes.count)
    }

    func read(into memory: UnsafeMutableRawBufferPointer) -> Int {
        let next = rest.prefix(min(piece, memory.count))
        memory.copyBytes(from: next)
        rest = rest.dropFirst(next.count)
        return next.count
    }

    func close() {}
}
