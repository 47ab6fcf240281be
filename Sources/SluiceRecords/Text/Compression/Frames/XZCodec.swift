import CLZMA
import SluiceCEL

/// Decompresses xz: streams of checksummed blocks with an index.
///
/// Unsafe memory: `lzma_stream` is owned by this object and never moves, as the library requires.
final class XZCodec: FrameCodec {
    static let mark: [UInt8] = [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00]
    static var version: String { String(cString: lzma_version_string()) }
    let magic = mark
    private static let headerCount = 12
    /// Twice the requirement of `xz -9`: allows dictionaries of up to 128 MiB.
    private static let memory: UInt64 = 160 << 20

    /// `LZMA_TELL_UNSUPPORTED_CHECK`, a macro that Swift cannot import.
    private static let tellUnsupportedCheck: UInt32 = 2

    private let stream: UnsafeMutablePointer<lzma_stream>
    private(set) var lacksChecksum = false

    init() {
        stream = .allocate(capacity: 1)
        stream.initialize(to: lzma_stream())
    }

    deinit {
        lzma_end(stream)
        stream.deallocate()
    }

    func state(_ state: FramedText.State) -> AccessPoint.State { .xz(state) }

    func start(in window: InputWindow) -> FrameStart {
        let bytes = window.look(ahead: Self.headerCount).prefix(Self.headerCount)
        guard bytes.prefix(6).elementsEqual(magic.prefix(bytes.count)) else { return .other }
        guard bytes.count == Self.headerCount else { return .incomplete }
        let stored = (8..<12).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32(bytes[$1]) }
        let flags = [bytes[6], bytes[7]]
        return flags[0] == 0 && flags[1] < 16 && lzma_crc32(flags, 2, 0) == stored ? .frame : .other
    }

    func begin(in window: InputWindow) {
        // The second byte of the flags after the mark.
        lacksChecksum = window.look(ahead: Self.headerCount)[7] == 0
        guard lzma_stream_decoder(stream, Self.memory, Self.tellUnsupportedCheck) == LZMA_OK else { Memory.refused() }
    }

    func decode(from window: InputWindow, into output: UnsafeMutableBufferPointer<UInt8>) -> FrameStep {
        let isHere = window.fill()
        let input = window.available
        stream.pointee.next_in = input.baseAddress
        stream.pointee.avail_in = input.count
        stream.pointee.next_out = output.baseAddress
        stream.pointee.avail_out = output.count
        let result = lzma_code(stream, LZMA_RUN)
        let consumed = input.count - stream.pointee.avail_in
        let produced = output.count - stream.pointee.avail_out
        window.advance(by: consumed)
        switch result {
        case LZMA_STREAM_END: return FrameStep(produced: produced, state: .ended)
        case LZMA_OK where produced > 0 || consumed > 0: return FrameStep(produced: produced, state: .going)
        case LZMA_OK, LZMA_BUF_ERROR: return FrameStep(produced: produced, state: isHere && window.available.isEmpty == false ? .corrupt : .cutOff)
        case LZMA_MEM_ERROR: Memory.refused()
        default: return FrameStep(produced: produced, state: .corrupt)
        }
    }
}
