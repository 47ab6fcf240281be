import CBytes

/// Finds the next gzip member behind damage.
///
/// Three bytes are looked for, then the header is read, then the beginning of its data is inflated: chance passes one of 2^27 places as a header
/// and then fails within a few bytes of data, because distances reach before the start. What a member holds uncompressed inside it (a stored
/// gzip file) cannot be told from a member.
///
/// Linear in the input: what is inflated on trial and what is gone back over may not exceed eight times the bytes passed, or the search goes on
/// behind the tried bytes instead of right behind the candidate.
final class MemberSearch {
    /// Compressed bytes of a member that must be sound, or all of it.
    private static let trial = 4 << 10
    /// Of a member that ends, or is cut off by the input's end, before `trial`, this much must be sound unless its CRC proves it.
    private static let least = 64

    private let inflater: any Inflater
    private var output = [UInt8](repeating: 0, count: 32 << 10)
    private var spent: UInt64 = 0

    init(library: DeflateLibrary) {
        inflater = library.makeInflater()
    }

    /// Moves the window to the next member, not before `first` (which may lie a little back) or to the input's end.
    func find(in window: InputWindow, from first: UInt64) -> Bool {
        goBack(in: window, to: first)
        while true {
            let bytes = window.look(ahead: 3)
            guard bytes.count >= 3, let start = bytes.baseAddress else {
                window.advance(by: bytes.count)
                return false
            }
            let found = cbytes_find(start, bytes.count, MemberHeader.magic, MemberHeader.magic.count)
            guard found >= 0 else {
                window.advance(by: bytes.count - 2)
                continue
            }
            window.advance(by: found)
            let tried: Int
            switch attempt(in: window) {
            case .sound: return true
            case .doubtful(let count) where count >= Self.least: return true
            case .doubtful(let count), .refused(let count): tried = count
            }
            spent += UInt64(tried)
            window.advance(by: mayGoBack(by: 0, at: window.position) ? 1 : max(1, min(tried, window.available.count)))
        }
    }

    /// Whether a sound member begins exactly at `position`, which the window has or comes to; moves there.
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
        if case .sound = attempt(in: window) { return true }
        // Nothing was lost from sight if it is still in the window's past.
        window.move(to: max(start, window.firstPosition))
        return false
    }

    private enum Attempt {
        /// As far as was tried, or proved by its CRC.
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

    private func attempt(in window: InputWindow) -> Attempt {
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
        bytes = window.look(ahead: header.count + Self.trial + 8)
        return tryData(UnsafeBufferPointer(rebasing: bytes[header.count...]), headerCount: header.count)
    }

    private func tryData(_ data: UnsafeBufferPointer<UInt8>, headerCount: Int) -> Attempt {
        inflater.reset()
        let limit = min(data.count, Self.trial)
        var (at, crc, text) = (0, UInt32(0), UInt32(0))
        while true {
            let step = output.withUnsafeMutableBufferPointer { output in
                let step = inflater.inflate(UnsafeBufferPointer(rebasing: data[at..<limit]), into: output)
                crc = inflater.checksum(crc, of: UnsafeBufferPointer(rebasing: UnsafeBufferPointer(output)[..<step.produced]))
                return step
            }
            at += step.consumed
            text &+= UInt32(truncatingIfNeeded: step.produced)
            switch step.state {
            case .outputFull: continue
            case .needsInput: return at >= Self.trial ? .sound : .doubtful(bytes: at)
            case .corrupt: return .refused(bytes: headerCount + at)
            case .ended: return MemberTrailer(data[at...]) == MemberTrailer(crc: crc, count: text) ? .sound : .doubtful(bytes: at)
            }
        }
    }
}
