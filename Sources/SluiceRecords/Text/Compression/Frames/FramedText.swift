import CBytes

/// The text of all frames of an input, each checked as far as its compression has checks; goes on
/// after damage at the next frame.
///
/// What is damage, and where (`offset`) it is met, is the same as for gzip (``GzipText``):
/// - `header`: a frame's header cannot be read, or bytes lie between two frames (their first).
/// - `corrupt`: the data makes no sense. bzip2 and xz check a block when its text is out already, and
///   tell a wrong check no further; then the records of the block were delivered, too.
/// - `truncated`: the input ends inside a frame.
/// - `crc`: the text was read to its end but is not what was written (zstd).
/// - `trailing-garbage`: bytes that are not zero lie after the last frame.
/// - `read-error`: the input could not be read on.
///
/// Zeros between and after frames are padding. Frames count as members.
final class FramedText: TextSource {
    private enum Place {
        case between, body, finished
    }

    private let window: InputWindow
    private let codec: any FrameCodec
    private let size: UInt64?
    private let most: Int

    private var place = Place.between
    private var member = 0
    private var hasBegun = false
    private var frameStart: UInt64 = 0
    /// The wrong checksum of the last frame, which may be the beginning of the next one.
    private var suspect: UInt64?
    /// Bytes of candidates that were tried in vain.
    private var spent: UInt64 = 0
    /// Events that wait their turn, the next one last.
    private var waiting: [TextEvent] = []

    /// - Parameters:
    ///   - size: compressed bytes of the whole input, where known.
    ///   - most: bytes decompressed at a time.
    init(window: InputWindow, codec: any FrameCodec, size: UInt64?, most: Int = 256 << 10) {
        self.window = window
        self.codec = codec
        self.size = size
        self.most = most
    }

    var position: UInt64 { window.position }

    func read(into output: UnsafeMutablePointer<UInt8>, room: Int) -> TextRead {
        while true {
            if let event = waiting.popLast() { return TextRead(count: 0, event: event) }
            switch place {
            case .between: goToNextFrame()
            case .body:
                let produced = decode(into: UnsafeMutableBufferPointer(start: output, count: min(room, most)))
                if produced > 0 { return TextRead(count: produced, event: nil) }
            case .finished: return TextRead(count: 0, event: .end)
            }
        }
    }

    private func decode(into output: UnsafeMutableBufferPointer<UInt8>) -> Int {
        let step = codec.decode(from: window, into: output)
        switch step.state {
        case .going: break
        case .ended: endFrame()
        case .wrongCheck:
            suspect = window.position > ZstdCodec.checksumCount ? window.position - ZstdCodec.checksumCount : 0
            waiting.append(.damage(damage(.crc, at: window.position), cutsText: false))
            endFrame()
        case .cutOff: endInside()
        case .corrupt: passDamage(.corrupt, from: window.position, searchFrom: frameStart + 1)
        }
        return step.produced
    }

    /// The input ends inside the frame, unless that ran on into others.
    private func endInside() {
        guard window.failure == nil, search(from: frameStart + 1) else { return finishEarly() }
        waiting.append(.damage(damage(.corrupt, at: window.position), cutsText: true))
        endFrame()
    }

    private func endFrame() {
        member += 1
        place = .between
    }

    private func goToNextFrame() {
        while window.fill() {
            let zeros = window.available.prefix { $0 == 0 }.count
            window.advance(by: zeros)
            if !window.available.isEmpty { break }
        }
        guard window.fill() else {
            if window.failure != nil { finishEarly() } else { place = .finished }
            return
        }
        switch codec.start(in: window) {
        case .frame: beginFrame()
        case .skippable(let count) where endsEarly(before: count): passGap()
        case .skippable(let count): skip(count)
        case .incomplete where hasNoFrameAfter(window.position): finishEarly()
        case .incomplete, .other: passGap()
        }
    }

    private func beginFrame() {
        frameStart = window.position
        hasBegun = true
        suspect = nil
        codec.begin(in: window)
        place = .body
        waiting.append(.member(member))
    }

    /// Whether a frame without text would go on after the input's end.
    private func endsEarly(before count: UInt64) -> Bool { size.map { window.position + count > $0 } ?? false }

    private func skip(_ count: UInt64) {
        var left = count
        while left > 0, window.fill() {
            let step = Int(min(left, UInt64(window.available.count)))
            window.advance(by: step)
            left -= UInt64(step)
        }
        if left > 0 { finishEarly(cutsText: false) }
    }

    /// Over bytes between frames, or a header that cannot be read.
    private func passGap() {
        let start = window.position
        let isGarbage = hasBegun
        guard !search(from: suspect ?? start + 1) else {
            let lost = window.position > start ? window.position - start : 0
            waiting.append(.damage(damage(.header, at: start, lost: lost), cutsText: true))
            return
        }
        endSearch(
            Damage(kind: isGarbage ? .trailingGarbage : .header, offset: start, member: member, lostBytes: window.position - start, lostText: 0),
            cutsText: !isGarbage)
    }

    private func passDamage(_ kind: Damage.Kind, from met: UInt64, searchFrom first: UInt64) {
        let found = search(from: first)
        let lost = window.position > met ? window.position - met : 0
        let damage = damage(kind, at: met, lost: lost)
        guard found else { return endSearch(damage, cutsText: true) }
        waiting.append(.damage(damage, cutsText: true))
        endFrame()
    }

    private func endSearch(_ damage: Damage, cutsText: Bool) {
        if window.failure != nil {
            waiting.append(.damage(.readError(at: window.position, size: size, member: member), cutsText: true))
        }
        waiting.append(.damage(damage, cutsText: cutsText))
        place = .finished
    }

    private func hasNoFrameAfter(_ start: UInt64) -> Bool {
        let found = search(from: start + 1)
        window.move(to: max(found ? start : window.position, window.firstPosition))
        return !found
    }

    /// Moves the window to the next frame, or to the input's end. The first place may lie a little
    /// back.
    private func search(from first: UInt64) -> Bool {
        window.move(to: max(first, window.firstPosition))
        while true {
            let bytes = window.look(ahead: codec.magic.count)
            guard bytes.count >= codec.magic.count, let start = bytes.baseAddress else {
                window.advance(by: bytes.count)
                return false
            }
            let found = cbytes_find(start, bytes.count, codec.magic, codec.magic.count)
            guard found >= 0 else {
                window.advance(by: bytes.count - codec.magic.count + 1)
                continue
            }
            window.advance(by: found)
            if codec.start(in: window) == .frame {
                // Linear in the input: where too much was tried, what looks like a frame is one.
                guard spent <= 8 * window.position + 1 << 20 else { return true }
                if codec.isSound(in: window) { return true }
                spent += UInt64(min(window.available.count, InputWindow.ahead))
            }
            window.advance(by: 1)
        }
    }

    /// The input has ended where it should not, or could not be read on.
    private func finishEarly(cutsText: Bool = true) {
        let isFailed = window.failure != nil
        let met = isFailed ? Damage.readError(at: window.position, size: size, member: member) : damage(.truncated, at: window.position)
        waiting.append(.damage(met, cutsText: cutsText))
        place = .finished
    }

    private func damage(_ kind: Damage.Kind, at offset: UInt64, lost: UInt64 = 0) -> Damage {
        Damage(kind: kind, offset: offset, member: member, lostBytes: lost, lostText: 0)
    }
}
