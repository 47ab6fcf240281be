/// Inflates raw deflate data. One owner at a time.
protocol Inflater: AnyObject {
    /// Begins a new stream.
    func reset()
    /// Begins between two blocks of a stream, with the text before them, of which at most the last
    /// ``InflateHistory/count`` bytes count.
    func reset(after history: UnsafeBufferPointer<UInt8>)
    /// Inflates as much as the input and the room in the output allow.
    func inflate(_ input: UnsafeBufferPointer<UInt8>, into output: UnsafeMutableBufferPointer<UInt8>) -> Inflation
    /// Whether the input so far consists of complete blocks, none of them the stream's last, ends
    /// on a byte boundary, and all its text was produced.
    var isBetweenBlocks: Bool { get }
    /// Updates a gzip CRC-32 with the bytes; `crc` is 0 at the start.
    func checksum(_ crc: UInt32, of bytes: UnsafeBufferPointer<UInt8>) -> UInt32
}

enum InflateHistory {
    /// How far back deflate data can refer, in bytes of text.
    static let count = 32 << 10
}

struct Inflation {
    enum State {
        case needsInput, outputFull, ended
        /// Everything before the invalid symbol is produced. Call again if the output was filled.
        case corrupt
    }

    /// Negative if bytes of an earlier call, at most 8, turn out to follow the end of the stream.
    var consumed: Int
    var produced: Int
    var state: State
}

/// The deflate libraries. Both give the same text; their compressed bytes differ, but are
/// reproducible for each library.
package enum DeflateLibrary: String, CaseIterable, Sendable {
    case zlib
    /// Not available in a build with `SLUICE_NO_ISAL=1`.
    case isal

    /// ISA-L if available. The environment variable `SLUICE_INFLATE=zlib|isal` overrides the
    /// choice.
    package static let preferred: DeflateLibrary = {
        let preferred = Environment.value("SLUICE_INFLATE").flatMap(DeflateLibrary.init(rawValue:)) ?? .isal
        return preferred.isAvailable ? preferred : .zlib
    }()

    package var isAvailable: Bool {
        switch self {
        case .zlib: true
        case .isal: ISALInflater.isAvailable
        }
    }

    func makeInflater() -> any Inflater {
        switch self {
        case .zlib: ZlibInflater()
        case .isal: ISALInflater()
        }
    }
}
