import Foundation

@testable import SluiceRecords

/// What reading an input returned.
struct ReadInput: Equatable {
    /// A record that came out or was set aside, or text that is lost.
    struct Piece: Equatable {
        /// In the text.
        var place: Int
        var end: Int
        /// `nil` if they are lost.
        var bytes: [UInt8]?
    }

    /// The damage of a batch, and where text that it cut off would begin.
    struct Noted: Equatable {
        var damage: [Damage]
        var place: Int

        func loss(of count: Int) -> Piece? { count == 0 ? nil : Piece(place: place, end: place + count, bytes: nil) }
    }

    private(set) var pieces: [Piece] = []
    private(set) var heads: [[UInt8]] = []
    private(set) var damage: [Noted] = []
    /// The names of the files in an archive, by record.
    private var names: [String] = []
    private var spilled: [String] = []
    private var setAside = 0
    var error: InputError?
    var summary: InputSummary?

    /// What was read in a batch.
    struct Part {
        fileprivate var pieces: [Piece] = []
        fileprivate var head: [UInt8]?
        fileprivate var noted: Noted?
    }

    /// Adds the records of a batch. They must be within the batch and its limit.
    @discardableResult
    mutating func add(_ batch: Batch, maxRecord: Int) -> Part {
        var (end, part) = (0, Part())
        let offset = Int(batch.offset)
        for frame in batch.frames {
            let (start, count) = (Int(frame.start), Int(frame.count))
            require(start >= end && start + count <= batch.bytes.count, "a record outside of its batch")
            require(count <= maxRecord, "a record over the limit")
            end = start + count
            let bytes = Array(UnsafeBufferPointer(start: batch.bytes.start + start, count: count))
            part.pieces.append(Piece(place: offset + start, end: offset + end, bytes: bytes))
            if let name = batch.name { names.append(name.text) }
        }
        for record in batch.spilled {
            spilled.append("\(record.reason) \(record.byteCount) \(record.beforeFrame)")
            let bytes = Self.text(ofSpill: record.spill)
            require(bytes.count == Int(record.byteCount), "\(record.byteCount) bytes were set aside, and \(bytes.count) kept")
            part.pieces.append(Piece(place: Int(record.position.offset), end: Int(record.position.offset) + bytes.count, bytes: bytes))
            unlink(record.spill)
        }
        part.head = batch.head?.bytes
        if !batch.damage.isEmpty { part.noted = Noted(damage: batch.damage, place: offset + batch.bytes.count) }
        setAside += batch.setAside.reduce(0) { $0 + $1.count }
        add(part)
        return part
    }

    mutating func add(_ part: Part) {
        pieces += part.pieces
        if let head = part.head, !head.isEmpty, !heads.contains(head) { heads.append(head) }
        if let noted = part.noted { damage.append(noted) }
    }

    private static func text(ofSpill path: String) -> [UInt8] {
        guard let data = try? Data(contentsOf: URL(filePath: path)) else { fatalError("what was set aside is not in \(path)") }
        let bytes = PieceBytes([UInt8](data), .max)
        return TextAccount(of: GzipText(window: InputWindow { bytes.read(into: $0) }, library: .zlib, size: nil)).text
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
