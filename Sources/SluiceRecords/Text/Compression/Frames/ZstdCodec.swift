import CBytes
import CZstd
import SluiceCEL

/// Decompresses zstd (RFC 8878). Each frame is fed to the library in parts (header, block headers,
/// blocks, checksum), so that the offset of each block is known.
///
/// Unsafe memory: the library reads and writes within buffers of the window and the caller; the
/// context is owned by this object from `init` to `deinit`.
final class ZstdCodec: FrameCodec {
    private enum Part {
        case header, blockHead, block, checksum
    }

    static let checksumCount: UInt64 = 4

    let magic = ZstdHeader.magic
    private let context: OpaquePointer
    private lazy var trial = Self.makeContext()

    private var part = Part.header
    /// The size of the current part, and the number of its bytes that the library has consumed.
    private var count = 0
    private var fed = 0
    private var isLast = false
    private var isRaw = false
    private var hasChecksum = false

    var lacksChecksum: Bool { !hasChecksum }

    init() { context = Self.makeContext() }

    deinit { ZSTD_freeDCtx(context) }

    private static func makeContext() -> OpaquePointer {
        guard let context = ZSTD_createDCtx() else { Memory.refused() }
        ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, Int32(ZstdHeader.mostWindowLog))
        return context
    }

    /// Whether the library refuses the bytes. That it has no memory says nothing about them.
    private static func isError(_ result: Int) -> Bool {
        guard ZSTD_isError(result) != 0 else { return false }
        if ZSTD_getErrorCode(result) == ZSTD_error_memory_allocation { Memory.refused() }
        return true
    }

    func state(_ state: FramedText.State) -> AccessPoint.State { .zstd(state) }

    func start(in window: InputWindow) -> FrameStart {
        ZstdHeader.start(window)
    }

    func begin(in window: InputWindow) {
        guard case .header(let header) = ZstdHeader.parse(window.look(ahead: ZstdHeader.most)) else { preconditionFailure("a frame has a header") }
        ZSTD_DCtx_reset(context, ZSTD_reset_session_only)
        hasChecksum = header.hasChecksum
        isLast = false
        enter(.header, header.count)
    }

    private func enter(_ part: Part, _ count: Int) { (self.part, self.count, fed) = (part, count, 0) }

    func decode(from window: InputWindow, into output: UnsafeMutableBufferPointer<UInt8>) -> FrameStep {
        let bytes = window.look(ahead: count)
        guard bytes.count >= count else { return decode(beginning: bytes, into: output) }
        if part == .blockHead, fed == 0, !isBlockHead(bytes) { return FrameStep(produced: 0, state: .corrupt) }
        var input = ZSTD_inBuffer(src: bytes.baseAddress, size: count, pos: fed)
        var room = ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
        let result = ZSTD_decompressStream(context, &room, &input)
        guard !Self.isError(result) else {
            guard part == .checksum, ZSTD_getErrorCode(result) == ZSTD_error_checksum_wrong else { return FrameStep(produced: 0, state: .corrupt) }
            window.advance(by: count)
            return FrameStep(produced: 0, state: .wrongCheck)
        }
        fed = input.pos
        // The library says only once that a frame has ended, be the room full or not.
        guard fed == count, room.pos < room.size || result == 0 else { return FrameStep(produced: room.pos, state: .going) }
        let next = bytes.prefix(count)
        let isEnded = advance(over: UnsafeBufferPointer(rebasing: next), result)
        if isEnded == nil { return FrameStep(produced: room.pos, state: .corrupt) }
        window.advance(by: next.count)
        return FrameStep(produced: room.pos, state: isEnded == true ? .ended : .going)
    }

    /// Decodes a part that the input ends in. The text of a raw block is there, up to the next
    /// frame; any other part can be decoded only as a whole.
    private func decode(beginning bytes: UnsafeBufferPointer<UInt8>, into output: UnsafeMutableBufferPointer<UInt8>) -> FrameStep {
        guard part == .block, isRaw, let start = bytes.baseAddress else { return FrameStep(produced: 0, state: .cutOff) }
        let found = cbytes_find(start, bytes.count, magic, magic.count)
        var input = ZSTD_inBuffer(src: start, size: found < 0 ? bytes.count : found, pos: fed)
        var room = ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
        let result = ZSTD_decompressStream(context, &room, &input)
        fed = input.pos
        return FrameStep(produced: room.pos, state: !Self.isError(result) && room.pos > 0 ? .going : .cutOff)
    }

    /// Moves on to the next part.
    ///
    /// - Returns: whether the frame has ended; nil if the library disagrees.
    private func advance(over bytes: UnsafeBufferPointer<UInt8>, _ result: Int) -> Bool? {
        switch part {
        case .header: enter(.blockHead, ZstdHeader.blockHeadCount)
        case .blockHead:
            let size = ZstdHeader.block(bytes).contentCount
            // An empty block has no content part.
            if size > 0 { enter(.block, size) } else { return endBlock(result) }
        case .block: return endBlock(result)
        case .checksum: return result == 0 ? true : nil
        }
        return false
    }

    private func endBlock(_ result: Int) -> Bool? {
        if !isLast {
            enter(.blockHead, ZstdHeader.blockHeadCount)
        } else if hasChecksum {
            enter(.checksum, Int(Self.checksumCount))
        } else {
            return result == 0 ? true : nil
        }
        return false
    }

    private func isBlockHead(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        let block = ZstdHeader.block(bytes)
        (isLast, isRaw) = (block.isLast, block.kind == 0)
        return block.isValid
    }

    /// Checks that the first block can be decoded, as far as it is available.
    func isSound(in window: InputWindow) -> Bool {
        let bytes = window.look(ahead: InputWindow.ahead)
        guard case .header(let header) = ZstdHeader.parse(bytes), bytes.count >= header.count + ZstdHeader.blockHeadCount else { return false }
        let block = ZstdHeader.block(UnsafeBufferPointer(rebasing: bytes[header.count...]))
        guard block.isValid else { return false }
        let end = min(bytes.count, header.count + ZstdHeader.blockHeadCount + block.contentCount)
        ZSTD_DCtx_reset(trial, ZSTD_reset_session_only)
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 64 << 10) { output in
            var at = 0
            for stop in [header.count, end] {
                var input = ZSTD_inBuffer(src: bytes.baseAddress, size: stop, pos: at)
                var isFull = true
                while isFull || input.pos < input.size {
                    var room = ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
                    guard !Self.isError(ZSTD_decompressStream(trial, &room, &input)) else { return false }
                    isFull = room.pos == room.size
                }
                at = stop
            }
            return true
        }
    }
}

/// A frame header, with functions for block headers.
struct ZstdHeader {
    enum Outcome {
        case header(ZstdHeader)
        case incomplete, invalid
        /// Valid, but requires a dictionary or too much memory.
        case refused(String)
    }

    static let magic: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD]
    /// The size of the longest header in bytes.
    static let most = 18
    static let blockHeadCount = 3
    /// 128 MiB, the default limit of the zstd command.
    static let mostWindowLog = 27
    private static let skippable: [UInt8] = [0x2A, 0x4D, 0x18]

    let count: Int
    let hasChecksum: Bool

    static func start(_ window: InputWindow) -> FrameStart {
        let bytes = window.look(ahead: most)
        if bytes.count >= 4, bytes[0] & 0xF0 == 0x50, bytes[1...].starts(with: skippable) {
            guard bytes.count >= 8 else { return .incomplete }
            return .skippable(8 + (4..<8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64(bytes[$1]) })
        }
        return switch parse(bytes) {
        case .header: .frame
        case .incomplete: .incomplete
        case .invalid, .refused: .other
        }
    }

    static func parse(_ bytes: UnsafeBufferPointer<UInt8>) -> Outcome {
        for (index, byte) in magic.enumerated() {
            guard index < bytes.count else { return .incomplete }
            guard bytes[index] == byte else { return .invalid }
        }
        guard bytes.count > 4 else { return .incomplete }
        let descriptor = bytes[4]
        guard descriptor & 0b1000 == 0 else { return .invalid }
        let isSingleSegment = descriptor & 0b10_0000 != 0
        let dictionaryCount = [0, 1, 2, 4][Int(descriptor & 3)]
        let sizeFlag = Int(descriptor >> 6)
        let sizeCount = sizeFlag == 0 ? (isSingleSegment ? 1 : 0) : 1 << sizeFlag
        let count = 5 + (isSingleSegment ? 0 : 1) + dictionaryCount + sizeCount
        guard bytes.count >= count else { return .incomplete }
        let size = (count - sizeCount..<count).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64(bytes[$1]) } + (sizeFlag == 1 ? 256 : 0)
        var windowSize = size
        if !isSingleSegment {
            let base = UInt64(1) << UInt64(10 + bytes[5] >> 3)
            windowSize = base + base / 8 * UInt64(bytes[5] & 7)
        }
        guard windowSize <= 1 << UInt64(mostWindowLog) else { return .refused("zstd with a window of more than 128 MiB (--long, --ultra)") }
        let dictionary = (count - sizeCount - dictionaryCount..<count - sizeCount).contains { bytes[$0] != 0 }
        guard !dictionary else { return .refused("zstd with a dictionary") }
        return .header(ZstdHeader(count: count, hasChecksum: descriptor & 0b100 != 0))
    }

    struct Block {
        var isLast: Bool
        var kind: Int
        var size: Int

        /// The number of bytes after the block header: a single one for a repeated byte.
        var contentCount: Int { kind == 1 ? 1 : size }
        var isValid: Bool { kind < 3 && size <= 128 << 10 }
    }

    static func block(_ bytes: UnsafeBufferPointer<UInt8>) -> Block {
        let head = Int(bytes[0]) | Int(bytes[1]) << 8 | Int(bytes[2]) << 16
        return Block(isLast: head & 1 == 1, kind: head >> 1 & 3, size: head >> 3)
    }
}
