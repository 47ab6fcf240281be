import CBytes

/// Finds where reading can go on after damage: at the next gzip member, or at the next full flush
/// inside a member.
///
/// Few bytes are looked for. From a member's, its header is read, then the beginning of its data is
/// inflated: chance passes one of 2^27 places as a header and then fails within a few bytes of
/// data, because distances reach before the start. For the same reason data fails after a flush
/// that is not a full one, since it refers to what was before. What a member holds uncompressed
/// inside it (a stored gzip file) cannot be told from a member.
///
/// Linear in the input: what is inflated on trial and what is gone back over may not exceed eight
/// times the bytes passed, or the search goes on after the tried bytes instead of right after the
/// candidate.
final class SalvageSearch {
    enum Place {
        /// The window is at its first byte.
        case member
        /// The window is after it.
        case flush
    }

    /// Compressed bytes that must be sound: of a member or after a flush, or all up to the end of
    /// the member or to the next flush.
    private static let trial = 4 << 10
    /// Of data that ends, or is cut off by the input's end, before `trial`, this much must be sound
    /// unless something else proves it.
    private static let least = 64

    private static let lookAhead = trial + MemberTrailer.count + MemberHeader.magic.count

    private let inflater: any Inflater
    private var output = [UInt8](repeating: 0, count: 32 << 10)
    private var spent: UInt64 = 0

    init(library: DeflateLibrary) {
        inflater = library.makeInflater()
    }

    /// Moves the window to the next place to go on at, or to the input's end.
    ///
    /// - Parameters:
    ///   - first: members may begin here or later. It may lie a little back.
    ///   - firstFlush: flushes may begin here or later. It may, too.
    func find(in window: InputWindow, from first: UInt64, flushesFrom firstFlush: UInt64) -> Place? {
        goBack(in: window, to: min(first, firstFlush))
        var members = Needle(MemberHeader.magic, from: first)
        var flushes = Needle(FlushMarks.marker, from: firstFlush)
        while true {
            let bytes = window.look(ahead: FlushMarks.marker.count)
            guard bytes.count >= FlushMarks.marker.count else {
                window.advance(by: bytes.count)
                return nil
            }
            let flush = flushes.next(in: window)
            guard let next = [members.next(in: window), flush].compactMap({ $0 }).min() else {
                window.advance(by: bytes.count - FlushMarks.marker.count + 1)
                continue
            }
            window.move(to: next)
            let place = next == flush ? Place.flush : .member
            let tried: Int
            switch place == .flush ? attemptFlush(in: window) : attemptMember(in: window) {
            case .sound: return place
            case .doubtful(let count) where count >= Self.least: return place
            case .doubtful(let count), .refused(let count): tried = count
            }
            spent += UInt64(tried)
            window.move(to: next)
            window.advance(by: mayGoBack(by: 0, at: next) ? 1 : max(1, min(tried, window.available.count)))
        }
    }

    /// Whether a sound member begins exactly at `position`, which the window has or comes to; moves
    /// there.
    func confirm(in window: InputWindow, at position: UInt64) -> Bool {
        guard position >= window.firstPosition else { return false }
        if position < window.position {
            guard mayGoBack(by: window.position - position, at: window.position) else { return false }
            spent += window.position - position
            window.move(to: position)
        }
        let start = window.position
        while window.position < position {
            guard window.fill() else { return false }
            window.advance(by: Int(min(position - window.position, UInt64(window.available.count))))
        }
        if case .sound = attemptMember(in: window) { return true }
        // Nothing was lost from sight if it is still in the window's past.
        window.move(to: max(start, window.firstPosition))
        return false
    }

    /// Whether the window is right after a full flush: what follows is sound without what is
    /// before.
    func isAfterFlush(_ window: InputWindow) -> Bool {
        if case .sound = tryAfterFlush(window.look(ahead: Self.lookAhead)) { return true }
        return false
    }

    private enum Attempt {
        /// As far as was tried, or proved: a member by its CRC, a flush by the next one.
        case sound
        /// So few bytes, until it ended or the input did, could be chance.
        case doubtful(bytes: Int)
        /// Bytes that were looked at.
        case refused(bytes: Int)
    }

    private func goBack(in window: InputWindow, to first: UInt64) {
        let position = window.position
        let target = max(first, window.firstPosition)
        guard target < position, mayGoBack(by: position - target, at: position) else { return }
        spent += position - target
        window.move(to: target)
    }

    private func mayGoBack(by count: UInt64, at position: UInt64) -> Bool {
        spent + count <= 8 * position + 1 << 20
    }

    private func attemptMember(in window: InputWindow) -> Attempt {
        var bytes = window.look(ahead: Self.trial + 64)
        var header = MemberHeader.parse(bytes) { inflater.checksum(0, of: $0) }
        if case .incomplete = header {
            bytes = window.look(ahead: InputWindow.ahead)
            header = MemberHeader.parse(bytes) { inflater.checksum(0, of: $0) }
        }
        guard case .header(let header) = header else {
            if case .incomplete = header { return .refused(bytes: bytes.count) }
            return .refused(bytes: MemberHeader.magic.count + 1)
        }
        bytes = window.look(ahead: header.count + Self.lookAhead)
        return tryMember(UnsafeBufferPointer(rebasing: bytes[header.count...]), headerCount: header.count)
    }

    private func tryMember(_ data: UnsafeBufferPointer<UInt8>, headerCount: Int) -> Attempt {
        inflater.reset()
        let limit = min(data.count, Self.trial)
        var (at, checksum) = (0, TextChecksum())
        while true {
            let step = tryInflating(UnsafeBufferPointer(rebasing: data[at..<limit]), checksum: &checksum)
            at += step.consumed
            switch step.state {
            case .outputFull: continue
            case .needsInput: return at >= Self.trial ? .sound : .doubtful(bytes: at)
            case .corrupt: return .refused(bytes: headerCount + at)
            case .ended: return MemberTrailer(data[at...]) == MemberTrailer(checksum) ? .sound : .doubtful(bytes: at)
            }
        }
    }

    /// With the window before a flush's marker; after it where it is sound.
    private func attemptFlush(in window: InputWindow) -> Attempt {
        let mark = FlushMarks.marker.count
        let bytes = window.look(ahead: mark + Self.lookAhead)
        let attempt = tryAfterFlush(UnsafeBufferPointer(rebasing: bytes[mark...]))
        window.advance(by: mark)
        return attempt
    }

    private func tryAfterFlush(_ data: UnsafeBufferPointer<UInt8>) -> Attempt {
        inflater.reset()
        let limit = min(data.count, Self.trial)
        var (at, checksum) = (0, TextChecksum())
        while true {
            let stop = Self.markerEnd(in: UnsafeBufferPointer(rebasing: data[..<limit]), from: max(at, Self.least)) ?? limit
            let step = tryInflating(UnsafeBufferPointer(rebasing: data[at..<stop]), checksum: &checksum)
            at += step.consumed
            switch step.state {
            case .outputFull: continue
            case .needsInput where at >= Self.least && inflater.isBetweenBlocks: return .sound
            case .needsInput where at < limit && step.consumed > 0: continue
            case .needsInput: return at >= Self.trial ? .sound : .doubtful(bytes: at)
            case .corrupt: return .refused(bytes: FlushMarks.marker.count + at)
            case .ended: return Self.isEnd(data[at...].dropFirst(MemberTrailer.count)) ? .sound : .doubtful(bytes: at)
            }
        }
    }

    private static func markerEnd(in data: UnsafeBufferPointer<UInt8>, from first: Int) -> Int? {
        guard let start = data.baseAddress, first < data.count else { return nil }
        let found = cbytes_find(start + first, data.count - first, FlushMarks.marker, FlushMarks.marker.count)
        return found < 0 ? nil : first + found + FlushMarks.marker.count
    }

    private func tryInflating(_ data: UnsafeBufferPointer<UInt8>, checksum: inout TextChecksum) -> Inflation {
        output.withUnsafeMutableBufferPointer { output in
            let step = inflater.inflate(data, into: output)
            checksum.crc = inflater.checksum(checksum.crc, of: UnsafeBufferPointer(rebasing: UnsafeBufferPointer(output)[..<step.produced]))
            checksum.count += UInt64(step.produced)
            return step
        }
    }

    /// Whether the bytes after a trailer are what may come there: nothing, padding, a member.
    private static func isEnd(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
        bytes.first == 0 || zip(bytes, MemberHeader.magic).allSatisfy(==)
    }
}

/// Where some bytes stand next. No place is looked at twice.
private struct Needle {
    private let bytes: [UInt8]
    private var found: UInt64?
    private var scanned: UInt64

    init(_ bytes: [UInt8], from first: UInt64) {
        self.bytes = bytes
        scanned = first
    }

    /// In what is here of the window.
    mutating func next(in window: InputWindow) -> UInt64? {
        let (position, text) = (window.position, window.available)
        if let found, found >= position { return found }
        found = nil
        let from = scanned > position ? Int(scanned - position) : 0
        guard let start = text.baseAddress, from + bytes.count <= text.count else { return nil }
        let at = cbytes_find(start + from, text.count - from, bytes, bytes.count)
        guard at >= 0 else {
            scanned = position + UInt64(text.count - bytes.count + 1)
            return nil
        }
        let place = position + UInt64(from + at)
        (found, scanned) = (place, place + 1)
        return place
    }
}
