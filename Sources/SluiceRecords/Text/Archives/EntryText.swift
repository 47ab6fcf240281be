import Glibc

/// The bytes of a file in an archive, and what the archive's own compression says about them.
final class EntryBytes {
    /// Ends reading where the archive is damaged inside the file.
    private static let cut = Int(-EBADMSG)

    private let tar: TarText
    private var position: UInt64 = 0
    /// Events of the archive's compression, with their places in the file.
    private(set) var events: [(position: UInt64, event: TextEvent)] = []
    /// The damage that ended the file.
    private(set) var end: Damage?

    init(_ tar: TarText) {
        self.tar = tar
    }

    /// The number of bytes of the archive that were read.
    var archivePosition: UInt64 { tar.text.position }
    var wasCutBetweenMembers: Bool { tar.text.wasCutBetweenMembers }
    var isUnproved: Bool { tar.text.isUnproved }

    /// See ``InputWindow/Reading``.
    func read(into memory: UnsafeMutableRawBufferPointer) -> Int {
        guard end == nil, let start = memory.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return Self.cut }
        while true {
            let step = tar.read(into: start, room: memory.count)
            position += UInt64(step.count)
            if let event = step.event { events.append((position, event)) }
            if step.count > 0 { return step.count }
            switch step.event {
            case .damage(let damage, cutsText: true):
                end = damage
                return Self.cut
            case nil: return 0
            case .member, .damage, .end: continue
            }
        }
    }

    /// Removes the first event if it comes before the given position.
    func takeEvent(before limit: UInt64) -> TextEvent? {
        guard let first = events.first, first.position <= limit else { return nil }
        return events.removeFirst().event
    }

    /// Removes all events that are damage which the file's own text does not show.
    func takeDamage() -> [Damage] {
        defer { events = [] }
        return events.compactMap { if case .damage(let damage, cutsText: false) = $0.event { damage } else { nil } }
    }
}

/// The text of a file in an archive that is not compressed itself.
final class EntryText: TextSource {
    private let window: InputWindow
    private let bytes: EntryBytes

    init(_ bytes: EntryBytes, in window: InputWindow) {
        self.bytes = bytes
        self.window = window
    }

    var position: UInt64 { bytes.archivePosition }
    var wasCutBetweenMembers: Bool { bytes.wasCutBetweenMembers }
    var isUnproved: Bool { bytes.isUnproved }

    func read(into output: UnsafeMutablePointer<UInt8>, room: Int) -> TextRead {
        let hasBytes = window.fill()
        if let event = bytes.takeEvent(before: window.position) { return TextRead(count: 0, event: event) }
        guard hasBytes, let start = window.available.baseAddress else { return TextRead(count: 0, event: .end) }
        let limit = bytes.events.first.map { Int(clamping: $0.position - window.position) } ?? .max
        let count = min(room, window.available.count, limit)
        output.update(from: start, count: count)
        window.advance(by: count)
        return TextRead(count: count, event: nil)
    }
}
