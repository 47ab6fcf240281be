/// Raw deflate data to bytes. One owner at a time.
protocol Inflater: AnyObject {
    /// Begins a new stream.
    func reset()
    /// Inflates as much as the input and the room in the output allow.
    func inflate(_ input: UnsafeBufferPointer<UInt8>, into output: UnsafeMutableBufferPointer<UInt8>) -> Inflation
    /// Whether all input so far was whole blocks, none of them the stream's last, that end on a
    /// byte, and all their text was produced.
    var isBetweenBlocks: Bool { get }
    /// The CRC-32 of gzip, continued from `crc` (0 at the start).
    func checksum(_ crc: UInt32, of bytes: UnsafeBufferPointer<UInt8>) -> UInt32
}

struct Inflation {
    enum State {
        case needsInput, outputFull, ended
        /// Everything before the bad symbol is produced. Call again while the output was filled.
        case corrupt
    }

    /// Negative where bytes of an earlier call (8 at most) turn out to lie after the stream's end.
    var consumed: Int
    var produced: Int
    var state: State
}

/// The libraries that know deflate. Both give the same text; compressed bytes differ between them,
/// and are always the same from one of them.
package enum DeflateLibrary: String, CaseIterable, Sendable {
    case zlib
    /// Absent from a build with `SLUICE_NO_ISAL=1`.
    case isal

    /// ISA-L unless this build has none. The environment's `SLUICE_INFLATE=zlib|isal` chooses
    /// another.
    package static let preferred: DeflateLibrary = {
        let wish = Environment.value("SLUICE_INFLATE").flatMap(DeflateLibrary.init(rawValue:)) ?? .isal
        return wish.isAvailable ? wish : .zlib
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
