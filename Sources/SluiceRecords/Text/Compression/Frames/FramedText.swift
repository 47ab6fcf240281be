import CBytes

/// The text of all frames of an input, verified as far as the format has checksums. After damage,
/// reading resumes at the next frame.
///
/// Kinds of damage and their `offset` are the same as for gzip (``GzipText``):
/// - `header`: a frame's header cannot be read, or there are bytes between two frames (the first of
///   them).
/// - `corrupt`: the data is invalid. bzip2 and xz verify a block only after its text was returned,
///   and report a wrong checksum in no other way; the records of the block were then delivered,
///   too, and nothing proves them (``isUnproved``).
/// - `truncated`: the input ends inside a frame.
/// - `crc`: the text was read to its end but differs from what was compressed (zstd).
/// - `trailing-garbage`: there are nonzero bytes after the last frame.
/// - `bomb`: the frame was given up (``TextSource/giveUpMember()``).
/// - `read-error`: reading the input failed.
///
/// Zeros between and after frames are padding. Frames count as members.
final class FramedText: TextSource {
    private enum Place {
        case between, body, finished
    }

    /// What is known at an access point: before a frame.
    struct State: Codable, Sendable, Equatable {
        var member: Int
        var hasBegun: Bool
        var wasCutBetweenMembers: Bool
        /// The offset of a wrong checksum at the end of the frame before.
        var suspect: UInt64?
        /// The number of bytes spent on candidates that turned out not to be frames.
        var spent: UInt64
    }

    private let window: InputWindow
    private let codec: any FrameCodec
    private let size: UInt64?
    private let most: Int

    private var place = Place.between
    private var member = 0
    private var hasBegun = false
    private var frameStart: UInt64 = 0
    /// The offset of a wrong checksum at the end of the last frame, which may in fact be the start
    /// of the next frame.
    private var suspect: UInt64?
    /// The number of bytes spent on candidates that turned out not to be frames.
    private var spent: UInt64 = 0
    /// Pending events in reverse order.
    private var waiting: [TextEvent] = []
    /// The number of bytes of text, and of events, so far.
    private var textCount: UInt64 = 0
    private var eventCount = 0
    private var points = AccessPoints()

    /// - Parameters:
    ///   - size: the compressed size of the whole input, if known.
    ///   - most: the maximum number of bytes to decompress at a time.
    init(window: InputWindow, codec: any FrameCodec, size: UInt64?, most: Int = 256 << 10) {
        self.window = window
        self.codec = codec
        self.size = size
        self.most = most
    }

    /// - Parameter window: at the access point.
    convenience init(window: InputWindow, codec: any FrameCodec, size: UInt64?, most: Int, at point: AccessPoint, _ state: State) {
        self.init(window: window, codec: codec, size: size, most: most)
        (textCount, eventCount) = (point.text, point.events)
        (member, hasBegun, wasCutBetweenMembers) = (state.member, state.hasBegun, state.wasCutBetweenMembers)
        (suspect, spent) = (state.suspect, state.spent)
    }

    func accessPoint(before text: UInt64, events: Int) -> AccessPoint? { points.last(before: text, events: events) }

    var position: UInt64 { window.position }
    private(set) var wasCutBetweenMembers = false
    private(set) var isUnproved = false
    private(set) var lacksChecksum = false

    func read(into output: UnsafeMutablePointer<UInt8>, room: Int) -> TextRead {
        while true {
            if let event = waiting.popLast() {
                eventCount += 1
                return TextRead(count: 0, event: event)
            }
            switch place {
            case .between: goToNextFrame()
            case .body:
                let produced = decode(into: UnsafeMutableBufferPointer(start: output, count: min(room, most)))
                if produced > 0 { return TextRead(count: produced, event: nil) }
            case .finished: return TextRead(count: 0, event: .end)
            }
        }
    }

    func giveUpMember() -> Bool {
        guard place == .body, waiting.isEmpty else { return false }
        passDamage(.bomb, from: window.position, searchFrom: window.position)
        return true
    }

    private func decode(into output: UnsafeMutableBufferPointer<UInt8>) -> Int {
        let step = codec.decode(from: window, into: output)
        textCount += UInt64(step.produced)
        switch step.state {
        case .going: break
        case .ended: endFrame()
        case .wrongCheck:
            suspect = window.position > ZstdCodec.checksumCount ? window.position - ZstdCodec.checksumCount : 0
            waiting.append(.damage(damage(.crc, at: window.position), cutsText: false))
            endFrame()
        case .cutOff: endInside()
        case .corrupt:
            isUnproved = !codec.isProved
            passDamage(.corrupt, from: window.position, searchFrom: frameStart + 1)
        }
        return step.produced
    }

    /// Handles an input that ends inside the frame, which may have run on into other frames because
    /// of damage.
    private func endInside() {
        guard window.failure == nil, search(from: frameStart + 1) else { return finishEarly() }
        isUnproved = !codec.isProved
        waiting.append(.damage(damage(.corrupt, at: window.position), cutsText: true))
        wasCutBetweenMembers = false
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
        if points.want(at: textCount) {
            let state = State(member: member, hasBegun: hasBegun, wasCutBetweenMembers: wasCutBetweenMembers, suspect: suspect, spent: spent)
            points.add(AccessPoint(position: window.position, text: textCount, events: eventCount, state: codec.state(state)))
        }
        frameStart = window.position
        hasBegun = true
        suspect = nil
        isUnproved = false
        codec.begin(in: window)
        if codec.lacksChecksum { lacksChecksum = true }
        place = .body
        waiting.append(.member(member))
    }

    /// Whether a skippable frame would extend beyond the end of the input.
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

    /// Skips bytes between frames, or a header that cannot be read.
    private func passGap() {
        let start = window.position
        let isGarbage = hasBegun
        guard !search(from: suspect ?? start + 1) else {
            let lost = window.position > start ? window.position - start : 0
            waiting.append(.damage(damage(.header, at: start, lost: lost), cutsText: true))
            wasCutBetweenMembers = true
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
        wasCutBetweenMembers = false
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

    /// Moves the window to the next frame at or after `first`, or to the end of the input. `first`
    /// may be slightly before the window's position.
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
                // Keeps the search linear in the input: after too many failed trials, candidates
                // are accepted without a trial.
                guard spent <= 8 * window.position + 1 << 20 else { return true }
                if codec.isSound(in: window) { return true }
                spent += UInt64(min(window.available.count, InputWindow.ahead))
            }
            window.advance(by: 1)
        }
    }

    /// Ends an input that is truncated or cannot be read any further.
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
