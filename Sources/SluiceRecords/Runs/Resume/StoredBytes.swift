import FoundationEssentials
import Sluice
import Synchronization

/// Bytes in a ``StateFile``. They follow the JSON of the file, which has only their place: text
/// that waits to be compressed can be many MiB, and need not be held a second time to be written.
struct StoredBytes: Codable, Sendable {
    private enum Contents: Sendable {
        case pieces([StoredBytes])
        case buffer(ByteBuffer)
        case data(Data)
        case report(ReportText)
    }

    fileprivate struct Place: Codable {
        var offset: Int
        var count: Int
    }

    /// Gathers the bytes of a value while it is encoded.
    final class Writing: Sendable {
        private struct State {
            var all: [StoredBytes] = []
            var count = 0
        }

        private let state = Locked(State())

        var all: [StoredBytes] { state.withLock { $0.all } }

        /// - Returns: the place of the bytes among all.
        fileprivate func add(_ bytes: StoredBytes) -> Place {
            let count = bytes.count
            return state.withLock { state in
                state.all.append(bytes)
                defer { state.count += count }
                return Place(offset: state.count, count: count)
            }
        }
    }

    /// The bytes that follow the JSON of a file that is being decoded.
    struct Reading: Sendable {
        var bytes: Data
    }

    static let writing = CodingUserInfoKey(rawValue: "sluice.writing")
    static let reading = CodingUserInfoKey(rawValue: "sluice.reading")

    private let contents: Contents

    /// - Parameter buffer: must not change until the value is written.
    init(_ buffer: ByteBuffer) { contents = .buffer(buffer) }

    init(_ data: Data) { contents = .data(data) }

    init(_ report: ReportText) { contents = .report(report) }

    /// The bytes of all pieces, one after another.
    init(_ pieces: [StoredBytes]) { contents = .pieces(pieces) }

    var count: Int {
        switch contents {
        case .pieces(let pieces): pieces.reduce(0) { $0 + $1.count }
        case .buffer(let buffer): buffer.count
        case .data(let data): data.count
        case .report(let report): report.byteCount
        }
    }

    /// - Returns: why they cannot be written, as an `errno`; `nil` if they are.
    func write(to descriptor: Int32) -> Int32? {
        switch contents {
        case .pieces(let pieces):
            for piece in pieces {
                if let failure = piece.write(to: descriptor) { return failure }
            }
            return nil
        case .buffer, .data: return withBytes { writeAll($0, to: descriptor) }
        case .report(let report):
            do throws(WriteFailure) {
                try report.forEachPiece { (bytes) throws(WriteFailure) in
                    if let number = writeAll(bytes, to: descriptor) { throw WriteFailure(number: number) }
                }
                return nil
            } catch {
                return error.number
            }
        }
    }

    private struct WriteFailure: Error {
        var number: Int32
    }

    func withBytes<Result>(_ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        switch contents {
        case .pieces(let pieces): Self.joined(pieces).withUnsafeBufferPointer(body)
        case .buffer(let buffer): buffer.withFilled(body)
        case .data(let data): data.withUnsafeBytes { body($0.bindMemory(to: UInt8.self)) }
        case .report(let report): report.bytes.withUnsafeBufferPointer(body)
        }
    }

    func encode(to encoder: any Encoder) throws {
        guard let key = Self.writing, let writing = encoder.userInfo[key] as? Writing else {
            throw EncodingError.invalidValue(self, .init(codingPath: encoder.codingPath, debugDescription: "bytes are for state files only"))
        }
        try writing.add(self).encode(to: encoder)
    }

    private static func joined(_ pieces: [StoredBytes]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(pieces.reduce(0) { $0 + $1.count })
        for piece in pieces { piece.withBytes { bytes += $0 } }
        return bytes
    }

    init(from decoder: any Decoder) throws {
        let place = try Place(from: decoder)
        guard let key = Self.reading, let reading = decoder.userInfo[key] as? Reading, place.offset >= 0, place.count >= 0,
            place.offset <= reading.bytes.count, place.count <= reading.bytes.count - place.offset
        else { throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "the file lacks bytes")) }
        let start = reading.bytes.startIndex + place.offset
        contents = .data(reading.bytes[start..<start + place.count])
    }
}
