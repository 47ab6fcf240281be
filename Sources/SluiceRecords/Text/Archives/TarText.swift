/// A file in a tar archive.
struct TarEntry: Equatable {
    /// The name as tar would unpack it: without `./` or `/` at its beginning. A byte that is not
    /// UTF-8 is written like `\xE9`.
    var name: String
    /// Its index among the files of the archive, from 0.
    var index: Int
    var size: UInt64
}

/// The files in the text of a tar archive, in order.
///
/// Damage of the archive's own structure, with offsets in the text of the archive:
/// - `tar-header`: no header where one must be (offset of that place; the bytes up to the next
///   header, or to the end, are lost).
/// - `tar-truncated`: the archive ends inside a header or a file, or without the zero block that
///   ends it.
/// - `tar-garbage`: what follows the end of the archive is neither zeros nor another archive.
///
/// Damage of its compression is passed on. If that cuts the text, the rest of the file is lost, and
/// reading goes on at the next header that has the mark of ustar, wherever it begins.
///
/// Unsafe memory: `memory` holds `capacity` bytes; `start` and `end` are indices into it.
final class TarText {
    private static let capacity = 256 << 10
    /// The limit of a pax header or a long name.
    private static let mostMetadata: UInt64 = 1 << 20

    let text: any TextSource
    private let path: String
    private let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: TarText.capacity)
    private var start = 0
    private var end = 0
    /// The event after the bytes in memory.
    private var event: TextEvent?
    /// The offset of the next byte in the text of the archive.
    private(set) var position: UInt64 = 0

    /// What is left of the current file, and of the zeros that fill its last block.
    private var remaining: UInt64 = 0
    private var padding: UInt64 = 0
    /// Whether the text was cut, so that blocks may begin anywhere.
    private var isLost = false
    /// Whether the last block was zero.
    private var hasEnded = false
    private var isAtBeginning = true
    private var defaults = PaxRecords()

    /// The member of the compression that the next byte is in, and the number of members so far.
    private(set) var member = 0
    private(set) var members = 0
    /// The number of files so far.
    private(set) var files = 0
    /// The number of entries that are not files, by kind.
    private(set) var skipped: [String: Int] = [:]
    /// Damage to report that lies between the files' bytes.
    private var damage: [Damage] = []
    /// Members of the compression that failed their check, and those that damage has cut.
    private var failures: [(member: Int, isCut: Bool)] = []

    /// - Parameter path: the path of the archive, for error messages.
    init(_ text: any TextSource, path: String) {
        self.text = text
        self.path = path
    }

    deinit {
        memory.deallocate()
    }

    /// Goes to the next file, over what is left of the current one.
    ///
    /// - Throws: ``InputError/notArchive(path:)`` if the text does not begin like an archive.
    func next() throws(InputError) -> TarEntry? {
        var pax = defaults
        var longName: [UInt8]?
        skipRest()
        while true {
            if isLost {
                guard findHeader() else { return nil }
                (pax, longName) = (defaults, nil)
            }
            guard let block = nextBlock() else {
                if isLost { continue }
                try endArchive()
                return nil
            }
            if TarHeader.isZero(block) {
                take(TarHeader.count)
                (hasEnded, isAtBeginning) = (true, false)
                continue
            }
            guard let header = TarHeader(block) else {
                guard !isAtBeginning || TarHeader.hasMark(block) else { throw .notArchive(path: path) }
                (pax, longName, isAtBeginning) = (defaults, nil, false)
                passBlocks()
                continue
            }
            (hasEnded, isAtBeginning) = (false, false)
            take(TarHeader.count)
            switch header.kind {
            case .pax: readRecords(of: header, into: &pax)
            case .paxDefaults:
                readRecords(of: header, into: &defaults)
                pax = defaults
            case .longName: longName = metadata(header.size).map { Array($0.prefix { $0 != 0 }) }
            case .longTarget:
                begin(header.size)
                skipRest()
            case .skipped(let kind):
                skip(header, pax)
                skipped[kind, default: 0] += 1
                (pax, longName) = (defaults, nil)
            case .file where pax.isSparse:
                begin(pax.size ?? header.size)
                skipRest()
                skipped[TarHeader.sparseFiles, default: 0] += 1
                (pax, longName) = (defaults, nil)
            case .file:
                begin(pax.size ?? header.size)
                files += 1
                return TarEntry(name: Self.shown(pax.path ?? longName ?? header.name), index: files - 1, size: remaining)
            }
        }
    }

    /// Reads the next bytes of the current file, or an event of the archive's compression. The file
    /// has ended if there is neither.
    func read(into output: UnsafeMutablePointer<UInt8>, room: Int) -> TextRead {
        guard remaining > 0 else { return TextRead(count: 0, event: nil) }
        let most = Int(min(UInt64(room), remaining))
        if start == end, event == nil {
            let step = text.read(into: output, room: most)
            event = step.event
            count(step.count)
            if step.count > 0 { return TextRead(count: step.count, event: nil) }
        }
        if start < end {
            let count = min(most, end - start)
            output.update(from: memory + start, count: count)
            start += count
            self.count(count)
            return TextRead(count: count, event: nil)
        }
        switch event {
        case .end:
            let lost = remaining
            (remaining, padding, hasEnded) = (0, 0, true)
            return TextRead(count: 0, event: .damage(cutShort(lost), cutsText: true))
        case .damage(_, cutsText: true):
            defer { loseText() }
            return TextRead(count: 0, event: takeEvent())
        case .member, .damage: return TextRead(count: 0, event: takeEvent())
        case nil: return read(into: output, room: room)
        }
    }

    /// Whether all bytes of the current file were read.
    var isAtEndOfFile: Bool { remaining == 0 }

    /// Damage since the last call that the files' own bytes do not show.
    func takeDamage() -> [Damage] {
        defer { damage = [] }
        return damage
    }

    /// Members since the last call that fail their check, or that damage has cut.
    func takeFailures() -> [(member: Int, isCut: Bool)] {
        defer { failures = [] }
        return failures
    }

    private static func shown(_ name: [UInt8]) -> String {
        var name = name[...]
        while true {
            if name.first == NameBytes.slash {
                name = name.dropFirst()
            } else if name.starts(with: [NameBytes.dot, NameBytes.slash]) {
                name = name.dropFirst(2)
            } else {
                return NameBytes.shown(Array(name))
            }
        }
    }

    private func readRecords(of header: TarHeader, into records: inout PaxRecords) {
        let place = position
        guard let bytes = metadata(header.size), !records.add(bytes) else { return }
        // Some of what it says of the file may be missing.
        note(Damage(kind: .tarHeader, offset: place, member: member, lostBytes: header.size, lostText: 0))
    }

    private func begin(_ size: UInt64) {
        remaining = size
        padding = (UInt64(TarHeader.count) - size % UInt64(TarHeader.count)) % UInt64(TarHeader.count)
    }

    private func count(_ count: Int) {
        remaining -= UInt64(count)
        position += UInt64(count)
    }

    /// Removes bytes from memory.
    private func take(_ count: Int) {
        start += count
        position += UInt64(count)
    }

    /// Skips an entry that is no file.
    private func skip(_ header: TarHeader, _ pax: PaxRecords) {
        var hasMoreOfMap = header.hasMoreOfMap
        while hasMoreOfMap, let block = nextBlock() {
            hasMoreOfMap = block[504] != 0
            take(TarHeader.count)
        }
        if header.mayLackData, let block = nextBlock(), TarHeader.isZero(block) || TarHeader(block) != nil { return }
        guard !isLost else { return }
        if header.mayLackData, nextBlock() == nil { return }
        begin(pax.size ?? header.size)
        skipRest()
    }

    private func skipRest() {
        remaining += padding
        padding = 0
        while remaining > 0 {
            if start < end {
                let count = Int(min(UInt64(end - start), remaining))
                start += count
                self.count(count)
            } else if event == nil {
                fill()
            } else if event == .end {
                note(cutShort(remaining))
                hasEnded = true
                remaining = 0
            } else {
                passEvent()
            }
        }
    }

    /// The bytes of a header that are stored like a file; `nil` if they are damaged.
    private func metadata(_ size: UInt64) -> [UInt8]? {
        let place = position
        begin(size)
        guard size <= Self.mostMetadata else {
            skipRest()
            // What the archive lacks of it is on record as cut off.
            note(Damage(kind: .tarHeader, offset: place, member: member, lostBytes: min(size, position - place), lostText: 0))
            return nil
        }
        var bytes: [UInt8] = []
        while remaining > 0 {
            if start < end {
                let count = Int(min(UInt64(end - start), remaining))
                bytes += UnsafeBufferPointer(start: memory + start, count: count)
                start += count
                self.count(count)
            } else if event == nil {
                fill()
            } else if event == .end {
                skipRest()
                return nil
            } else {
                passEvent()
            }
        }
        skipRest()
        return isLost ? nil : bytes
    }

    /// The next 512 bytes; `nil` if the text ends or is cut before.
    private func nextBlock() -> UnsafeBufferPointer<UInt8>? {
        guard look(ahead: TarHeader.count) else { return nil }
        return UnsafeBufferPointer(start: memory + start, count: TarHeader.count)
    }

    /// - Returns: whether that many bytes are in memory.
    private func look(ahead count: Int) -> Bool {
        while end - start < count {
            if event == nil {
                fill()
            } else if event == .end {
                return false
            } else {
                passEvent()
                if isLost, end == start { return false }
            }
        }
        return true
    }

    private func fill() {
        if end == Self.capacity || start == end {
            memory.update(from: memory + start, count: end - start)
            (start, end) = (0, end - start)
        }
        let step = text.read(into: memory + end, room: Self.capacity - end)
        end += step.count
        event = step.event
    }

    /// Takes the event after the bytes in memory, which may be part of a block.
    private func passEvent() {
        switch takeEvent() {
        case .damage(let damage, let cutsText):
            note(damage)
            if cutsText { loseText() }
        case .member, .end, nil: break
        }
    }

    private func takeEvent() -> TextEvent? {
        defer { event = nil }
        switch event {
        case .member(let member):
            self.member = member
            members += 1
        case .damage(let damage, let cutsText):
            if cutsText || damage.kind == .crc || damage.kind == .length {
                failures.append((damage.member, cutsText && !text.isUnproved))
            }
        case .end, nil: break
        }
        return event
    }

    private func note(_ damage: Damage) { self.damage.append(damage) }

    private func cutShort(_ lost: UInt64) -> Damage {
        Damage(kind: .tarTruncated, offset: position, member: member, lostBytes: lost, lostText: 0)
    }

    private func loseText() {
        position += UInt64(end - start)
        (start, end, remaining, padding, isLost) = (0, 0, 0, 0, true)
    }

    /// Finds the next header after a cut.
    ///
    /// - Returns: false if there is none.
    private func findHeader() -> Bool {
        let place = position
        isLost = false
        while look(ahead: TarHeader.count) || isLost {
            if isLost {
                isLost = false
                continue
            }
            let bytes = UnsafeBufferPointer(start: memory + start, count: end - start)
            if TarHeader.hasMark(bytes), TarHeader(UnsafeBufferPointer(rebasing: bytes[..<TarHeader.count])) != nil {
                notePassed(from: place)
                return true
            }
            // The next byte at which the mark may begin in its place.
            let next = bytes[(TarHeader.markPlace + 1)...].firstIndex(of: TarHeader.mark[0]) ?? bytes.count
            take(min(next - TarHeader.markPlace, bytes.count))
        }
        take(end - start)
        notePassed(from: place)
        return false
    }

    /// Passes over a block that must be a header but is not, to the next block that is.
    private func passBlocks() {
        let place = position
        repeat { take(TarHeader.count) } while nextBlock().map { TarHeader($0) == nil } == true
        let isLast = !isLost && event == .end && end - start < TarHeader.count
        if isLast { take(end - start) }
        notePassed(from: place, as: isLast && hasEnded ? .tarGarbage : .tarHeader)
        hasEnded = isLast
    }

    private func notePassed(from place: UInt64, as kind: Damage.Kind = .tarHeader) {
        guard position > place else { return }
        note(Damage(kind: kind, offset: place, member: member, lostBytes: position - place, lostText: 0))
    }

    private func endArchive() throws(InputError) {
        if end > start {
            let rest = UnsafeBufferPointer(start: memory + start, count: end - start)
            if isAtBeginning, !TarHeader.isZero(rest), rest.count < TarHeader.markPlace || !TarHeader.hasMark(rest) { throw .notArchive(path: path) }
            if !TarHeader.isZero(rest) || !hasEnded { note(cutShort(UInt64(rest.count))) }
            take(rest.count)
        } else if !hasEnded, !isAtBeginning {
            note(cutShort(0))
        }
        hasEnded = true
    }
}
