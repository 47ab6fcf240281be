import CBytes
import CBzip2
import SluiceCEL

/// Decompresses bzip2: streams of checksummed blocks.
///
/// The library is never given bytes beyond the start of the next stream, so that damage doesn't
/// extend into that stream. A start is recognized by the marks of a stream and its first block,
/// which occur by chance at one in 2^76 positions.
///
/// Unsafe memory: `bz_stream` is owned by this object and never moves, as the library requires.
final class Bzip2Codec: FrameCodec {
    let magic = Array("BZh".utf8)
    private static let blockMark: [UInt8] = [0x31, 0x41, 0x59, 0x26, 0x53, 0x59]
    private static let endMark: [UInt8] = [0x17, 0x72, 0x45, 0x38, 0x50, 0x90]
    static let headerCount = 10
    /// Without the date: `1.0.8`.
    static var version: String { String(String(cString: BZ2_bzlibVersion()).prefix { $0 != "," }) }

    private let stream: UnsafeMutablePointer<bz_stream>
    private var isOpen = false
    /// Whether the text of a block is being returned, before its checksum is verified.
    private var isInBlock = false
    /// The offset of the next stream, if known, and the offset up to which it was searched for.
    private var next: UInt64?
    private var scanned: UInt64 = 0

    init() {
        stream = .allocate(capacity: 1)
        stream.initialize(to: bz_stream())
    }

    deinit {
        if isOpen { BZ2_bzDecompressEnd(stream) }
        stream.deallocate()
    }

    func state(_ state: FramedText.State) -> AccessPoint.State { .bzip2(state) }

    func start(in window: InputWindow) -> FrameStart { Self.start(window.look(ahead: Self.headerCount)) }

    static func start(_ bytes: UnsafeBufferPointer<UInt8>) -> FrameStart {
        let header = bytes.prefix(headerCount)
        guard header.prefix(3).elementsEqual("BZh".utf8.prefix(header.count)) else { return .other }
        guard header.count > 3 else { return .incomplete }
        guard (UInt8(ascii: "1")...UInt8(ascii: "9")).contains(header[3]) else { return .other }
        let mark = header.dropFirst(4)
        guard mark.elementsEqual(blockMark.prefix(mark.count)) || mark.elementsEqual(endMark.prefix(mark.count)) else { return .other }
        return mark.count == blockMark.count ? .frame : .incomplete
    }

    /// Looks no further ahead than necessary.
    static func begins(_ window: InputWindow) -> Bool {
        guard window.begins(with: Array("BZh".utf8)) else { return false }
        for count in 4...headerCount {
            if start(UnsafeBufferPointer(rebasing: window.look(ahead: count).prefix(count))) == .other { return false }
        }
        return start(window.available) == .frame
    }

    func begin(in window: InputWindow) {
        if isOpen { BZ2_bzDecompressEnd(stream) }
        stream.pointee = bz_stream()
        guard BZ2_bzDecompressInit(stream, 0, 0) == BZ_OK else { Memory.refused() }
        isOpen = true
        isInBlock = false
        next = nil
        scanned = window.position + 1
    }

    var isProved: Bool { !isInBlock }

    func decode(from window: InputWindow, into output: UnsafeMutableBufferPointer<UInt8>) -> FrameStep {
        isInBlock ? returnText(into: output) : readBlock(from: window)
    }

    /// Reads a block without room for its text: what is wrong then is not a block of which text was
    /// returned.
    private func readBlock(from window: InputWindow) -> FrameStep {
        let isHere = window.fill()
        let input = stretch(of: window)
        stream.pointee.next_in = UnsafeMutableRawPointer(mutating: input.baseAddress)?.assumingMemoryBound(to: CChar.self)
        stream.pointee.avail_in = UInt32(input.count)
        stream.pointee.avail_out = 0
        let result = BZ2_bzDecompress(stream)
        let consumed = input.count - Int(stream.pointee.avail_in)
        window.advance(by: consumed)
        switch result {
        case BZ_STREAM_END: return FrameStep(produced: 0, state: .ended)
        case BZ_OK where consumed > 0:
            isInBlock = true
            return FrameStep(produced: 0, state: .going)
        case BZ_OK: return FrameStep(produced: 0, state: isHere ? .corrupt : .cutOff)
        case BZ_MEM_ERROR: Memory.refused()
        default: return FrameStep(produced: 0, state: .corrupt)
        }
    }

    private func returnText(into output: UnsafeMutableBufferPointer<UInt8>) -> FrameStep {
        stream.pointee.avail_in = 0
        stream.pointee.next_out = UnsafeMutableRawPointer(output.baseAddress)?.assumingMemoryBound(to: CChar.self)
        stream.pointee.avail_out = UInt32(output.count)
        let result = BZ2_bzDecompress(stream)
        let left = Int(stream.pointee.avail_out)
        guard result == BZ_OK else { return FrameStep(produced: output.count - left, state: .corrupt) }
        // Room is left only after a block whose checksum is right, or if none was read to its end.
        isInBlock = left == 0
        return FrameStep(produced: output.count - left, state: .going)
    }

    /// The available bytes before the next stream.
    private func stretch(of window: InputWindow) -> UnsafeBufferPointer<UInt8> {
        while true {
            let (position, bytes) = (window.position, window.available)
            if next == nil { findNext(in: bytes, at: position) }
            let known = next ?? scanned
            if known > position || next != nil { return UnsafeBufferPointer(rebasing: bytes.prefix(Int(known - position))) }
            // A stream may start here; more bytes are needed to decide.
            if window.look(ahead: bytes.count + 1).count == bytes.count { return bytes }
        }
    }

    private func findNext(in bytes: UnsafeBufferPointer<UInt8>, at position: UInt64) {
        guard let start = bytes.baseAddress else { return }
        var from = scanned > position ? Int(scanned - position) : 0
        while from < bytes.count {
            let found = cbytes_find(start + from, bytes.count - from, magic, magic.count)
            // The last bytes may be the beginning of a mark.
            let at = found >= 0 ? from + found : max(from, bytes.count - magic.count + 1)
            scanned = position + UInt64(at)
            switch Self.start(UnsafeBufferPointer(rebasing: bytes[at...])) {
            case .frame:
                next = scanned
                return
            case .incomplete: return
            case .other, .skippable: from = at + 1
            }
        }
        scanned = max(scanned, position + UInt64(bytes.count))
    }
}
