/// The decompressed bytes of an input, in order, interspersed with events.
protocol TextSource: AnyObject {
    /// Reads at most `room` bytes. Returns bytes, an event or both; the event comes after the
    /// bytes.
    func read(into output: UnsafeMutablePointer<UInt8>, room: Int) -> TextRead
    /// The number of compressed bytes consumed.
    var position: UInt64 { get }
    /// After damage that cut the text: whether the text may continue inside a record, even if
    /// members begin between records.
    var goesOnInsideRecord: Bool { get }
    /// After damage that cut the text: whether the text before it ended with its member, complete.
    var wasCutBetweenMembers: Bool { get }
    /// After damage that cut the text: whether no checksum proves the text before it that is from
    /// its member.
    var isUnproved: Bool { get }
    /// Whether a member that was begun has no checksum of its text.
    var lacksChecksum: Bool { get }
    /// Gives up the current member: the next event is damage of kind `bomb`, after which the text
    /// continues with the next member.
    ///
    /// - Returns: false if there is no member that can be given up.
    func giveUpMember() -> Bool
    /// A place to read from without what is before it, which was passed lately.
    ///
    /// - Parameters:
    ///   - text: the largest number of bytes of text before it.
    ///   - events: the largest number of events before it.
    func accessPoint(before text: UInt64, events: Int) -> AccessPoint?
}

extension TextSource {
    func accessPoint(before text: UInt64, events: Int) -> AccessPoint? { nil }
    var goesOnInsideRecord: Bool { false }
    var isUnproved: Bool { false }
    var lacksChecksum: Bool { false }
    func giveUpMember() -> Bool { false }
}

struct TextRead {
    var count: Int
    var event: TextEvent?
}

enum TextEvent: Equatable {
    /// The start of a gzip member, or of a frame or stream of another compression, with its index.
    case member(Int)
    /// `cutsText`: the text after the damage does not continue the text before it. The framing adds
    /// to `lostText` what it read of the record that is cut off.
    case damage(Damage, cutsText: Bool)
    /// The end of the input. Returned again by further reads.
    case end
}

/// Uncompressed text.
final class PlainText: TextSource {
    private let window: InputWindow
    private let size: UInt64?
    private var isReported = false

    /// - Parameter size: the size of the whole input in bytes, if known.
    init(window: InputWindow, size: UInt64?) {
        self.window = window
        self.size = size
    }

    var position: UInt64 { window.position }
    let wasCutBetweenMembers = false

    func accessPoint(before text: UInt64, events: Int) -> AccessPoint? {
        AccessPoint(position: text, text: text, events: 0, state: .plain)
    }

    func read(into output: UnsafeMutablePointer<UInt8>, room: Int) -> TextRead {
        guard window.fill(), let start = window.available.baseAddress else {
            guard window.failure != nil, !isReported else { return TextRead(count: 0, event: .end) }
            isReported = true
            return TextRead(count: 0, event: .damage(.readError(at: position, size: size, member: 0), cutsText: true))
        }
        let count = min(room, window.available.count)
        output.update(from: start, count: count)
        window.advance(by: count)
        return TextRead(count: count, event: nil)
    }
}

extension Damage {
    /// - Parameter size: the size of the whole input in bytes, if known.
    static func readError(at position: UInt64, size: UInt64?, member: Int) -> Damage {
        let lost = size.map { $0 > position ? $0 - position : 0 } ?? 0
        return Damage(kind: .readError, offset: position, member: member, lostBytes: lost, lostText: 0)
    }
}
