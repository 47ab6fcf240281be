/// The character encoding of an input.
public enum TextEncoding: String, CaseIterable, Sendable {
    /// Bytes are left as they are; each format defines its handling of invalid UTF-8.
    case utf8 = "utf-8"
    /// ISO 8859-1.
    case latin1
    /// The byte order is given by the byte order mark; little endian without one.
    case utf16 = "utf-16"
    /// Little endian, with or without a byte order mark.
    case utf16LittleEndian = "utf-16le"
    /// Big endian, with or without a byte order mark.
    case utf16BigEndian = "utf-16be"
}

/// Converts the text of another source to UTF-8, which all formats read.
///
/// Invalid input (an unpaired surrogate, or half a code unit at the end) becomes U+FFFD. After
/// damage, decoding of UTF-16 restarts at a unit boundary. Offsets in the text refer to the UTF-8.
///
/// Unsafe memory: writes past the end of its own ``ByteBuffer``, within its reserved capacity.
final class DecodedText: TextSource {
    private static let most = 64 << 10

    private let base: any TextSource
    private let isLatin1: Bool
    /// The byte order of UTF-16; nil until it is known.
    private var isBigEndian: Bool?
    private let input = ByteBuffer(capacity: most)
    private let ready = ByteBuffer(capacity: 2 * most)
    private var taken = 0
    /// The event to return after the bytes in `ready`.
    private var event: TextEvent?
    /// The first byte of an incomplete UTF-16 unit.
    private var half: UInt8?
    /// A high surrogate that waits for its low surrogate.
    private var high: UInt32?
    private var isFresh = true

    init(_ base: any TextSource, _ encoding: TextEncoding) {
        self.base = base
        isLatin1 = encoding == .latin1
        isBigEndian = [.utf16LittleEndian: false, .utf16BigEndian: true][encoding]
    }

    var position: UInt64 { base.position }
    var goesOnInsideRecord: Bool { base.goesOnInsideRecord }
    var wasCutBetweenMembers: Bool { base.wasCutBetweenMembers }
    var isUnproved: Bool { base.isUnproved }
    var lacksChecksum: Bool { base.lacksChecksum }
    func giveUpMember() -> Bool { taken == ready.count && event == nil && base.giveUpMember() }

    func read(into output: UnsafeMutablePointer<UInt8>, room: Int) -> TextRead {
        while taken == ready.count, event == nil { refill() }
        let count = min(room, ready.count - taken)
        output.update(from: ready.start + taken, count: count)
        taken += count
        guard taken == ready.count else { return TextRead(count: count, event: nil) }
        defer { if event != .end { event = nil } }
        return TextRead(count: count, event: event)
    }

    private func refill() {
        (ready.count, taken) = (0, 0)
        let step = base.read(into: input.start, room: Self.most)
        input.count = step.count
        if isLatin1 { decodeLatin1() } else { decodeUTF16() }
        switch step.event {
        case .end, .damage(_, cutsText: true): endUnit()
        default: break
        }
        event = step.event
    }

    private func decodeLatin1() {
        for byte in input.filled {
            if byte < 0x80 { ready.append(byte) } else { append(UInt32(byte)) }
        }
    }

    private func decodeUTF16() {
        for byte in input.filled {
            guard let first = half else {
                half = byte
                continue
            }
            half = nil
            take(isBigEndian == true ? UInt32(first) << 8 | UInt32(byte) : UInt32(byte) << 8 | UInt32(first))
        }
    }

    private func take(_ unit: UInt32) {
        if isFresh {
            isFresh = false
            let isSwapped = unit == 0xFFFE && isBigEndian == nil
            isBigEndian = isBigEndian ?? isSwapped
            // The byte order mark is not part of the text.
            if isSwapped || unit == 0xFEFF { return }
        }
        switch unit {
        case 0xD800...0xDBFF:
            if high != nil { append(0xFFFD) }
            high = unit
        case 0xDC00...0xDFFF:
            append(high.map { 0x10000 + ($0 - 0xD800) << 10 + unit - 0xDC00 } ?? 0xFFFD)
            high = nil
        default:
            if high != nil { append(0xFFFD) }
            high = nil
            append(unit)
        }
    }

    private func endUnit() {
        if half != nil || high != nil { append(0xFFFD) }
        (half, high) = (nil, nil)
    }

    private func append(_ scalar: UInt32) {
        switch scalar {
        case ..<0x80: ready.append(UInt8(scalar))
        case ..<0x800:
            ready.append(UInt8(0xC0 | scalar >> 6))
            ready.append(UInt8(0x80 | scalar & 0x3F))
        case ..<0x10000:
            ready.append(UInt8(0xE0 | scalar >> 12))
            ready.append(UInt8(0x80 | scalar >> 6 & 0x3F))
            ready.append(UInt8(0x80 | scalar & 0x3F))
        default:
            ready.append(UInt8(0xF0 | scalar >> 18))
            ready.append(UInt8(0x80 | scalar >> 12 & 0x3F))
            ready.append(UInt8(0x80 | scalar >> 6 & 0x3F))
            ready.append(UInt8(0x80 | scalar & 0x3F))
        }
    }
}
