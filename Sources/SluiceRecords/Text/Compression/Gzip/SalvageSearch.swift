import CBytes

/// Finds the place to resume after damage: the next gzip member, or the next full flush inside a
/// member.
///
/// The search is for a few bytes, so each candidate is tried. For a member, its header is parsed,
/// then the beginning of its data is inflated: one in 2^27 random positions passes as a header, and
/// then fails within a few bytes of data, because distances reach before the start. For the same
/// reason, data after a flush that is not a full one fails, since it refers to what is before. A
/// gzip file stored uncompressed inside a member cannot be told from a member.
///
/// Takes linear time: bytes inflated on trial and bytes searched again may not exceed eight times
/// the bytes passed. Beyond that, the search continues after the tried bytes instead of right after
/// the candidate.
final class SalvageSearch {
    enum Place {
        /// The window is at the first byte of the member.
        case member
        /// The window is right after the flush.
        case flush
    }

    /// The number of compressed bytes that must be sound in a member or after a flush; fewer if the
    /// member ends or the next flush comes earlier.
    private static let trial = 4 << 10
    /// The number of bytes that must be sound if the data or the input ends before `trial`, unless
    /// there is other proof.
    private static let least = 64

    private static let lookAhead = trial + MemberTrailer.count + MemberHeader.magic.count

    private let inflater: any Inflater
    private var output = [UInt8](repeating: 0, count: 32 << 10)
    /// The number of bytes inflated on trial and searched again.
    private(set) var spent: UInt64

    init(library: DeflateLibrary, spent: UInt64 = 0) {
        self.spent = spent
        inflater = library.makeInflater()
    }

    /// Moves the window to the next place to resume, or to the end of the input.
    ///
    /// - Parameters:
    ///   - first: the first position for members. It may be slightly before the window.
    ///   - firstFlush: the first position for flushes. It may be, too; `.max`: no flush is
    ///     searched.
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

    /// Whether a sound member begins exactly at `position`, which the window has kept or will
    /// reach; moves there.
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
        // Nothing is lost if the start is still in the window's history.
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
        /// Sound as far as it was tried, or proved: a member by its CRC, a flush by the next one.
        case sound
        /// Sound, but the data or the input ended after so few bytes that it could be chance.
        case doubtful(bytes: Int)
        /// Not sound, after this many bytes.
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

    /// Tries to resume after the marker that the window is at; moves the window past it.
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

    /// Whether the bytes may follow a trailer: nothing, zero padding or a member.
    private static func isEnd(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
        bytes.first == 0 || zip(bytes, MemberHeader.magic).allSatisfy(==)
    }
}

/// Finds the next occurrence of some bytes. No position is scanned twice.
private struct Needle {
    private let bytes: [UInt8]
    private var found: UInt64?
    private var scanned: UInt64

    init(_ bytes: [UInt8], from first: UInt64) {
        self.bytes = bytes
        scanned = first
    }

    /// The next occurrence in the available bytes of the window.
    mutating func next(in window: InputWindow) -> UInt64? {
        let (position, text) = (window.position, window.available)
        if let found, found >= position { return found }
        found = nil
        let from = scanned > position ? Int(clamping: scanned - position) : 0
        guard let start = text.baseAddress, from <= text.count - bytes.count else { return nil }
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
