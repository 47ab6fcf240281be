import FoundationEssentials

/// The text of all members of a gzip input, with their checks. After damage, it resumes at the next
/// full flush or the next member, whichever comes first.
///
/// Kinds of damage, and the `offset` that is reported:
/// - `header`: a member's header cannot be read (offset of its first byte); its own CRC is wrong
///   (the same offset; the member is read nevertheless if its data is sound); or there are bytes
///   between two members (offset of the first of them).
/// - `corrupt`: the deflate data is invalid (where the inflater noticed, which may be some bytes
///   after the cause).
/// - `truncated`: the input ends inside a member (the input's size).
/// - `crc`, `length`: the text was read to its end but fails the check of the trailer (offset of
///   the trailer's field). At most one per member, `crc` before `length`.
/// - `trailing-garbage`: bytes other than zero follow the last member (offset of the first byte
///   after it).
/// - `read-error`: reading the input failed.
/// - `bomb`: the member was given up (``TextSource/giveUpMember()``).
///
/// If reading resumes at a flush, the rest of that member is delivered, but its trailer cannot
/// verify it: the damage applies to the whole member. The text may also resume inside a line
/// (``goesOnInsideRecord``), unless all flushes so far in the member were between lines.
///
/// Members are numbered as they begin; one with a damaged header counts. In corrupt data, the
/// libraries differ by a few bytes in how far they get, and ISA-L may withhold the last two bytes
/// before a truncation. Each library behaves the same in every run, and neither hides damage.
final class GzipText: TextSource {
    private enum Place {
        case header, body, trailer, between, finished
    }

    /// What is known at an access point.
    struct State: Codable, Sendable, Equatable {
        /// Inside a member, right after a flush.
        struct Inside: Codable, Sendable, Equatable {
            var memberStart: UInt64
            var memberSize: UInt64?
            var checksum: TextChecksum
            var flushes: FlushMarks
            var isPartial: Bool
            /// The text that the data may refer to.
            var history: Data
        }

        var member: Int
        var members: Int
        var goesOnInsideRecord: Bool
        var wasCutBetweenMembers: Bool
        /// See ``SalvageSearch/spent``.
        var searched: UInt64
        /// `nil` at the first byte of a member.
        var inside: Inside?
    }

    private let window: InputWindow
    private let library: DeflateLibrary
    private let inflater: any Inflater
    private var begunSearch: SalvageSearch?
    private let size: UInt64?
    private let most: Int

    private var place = Place.header
    private var member = 0
    private var memberStart: UInt64 = 0
    private var memberSize: UInt64?
    private var checksum = TextChecksum()
    private var flushes = FlushMarks(from: 0)
    /// The last four bytes of the text, and the length of the text since the last flush.
    private var tail: (bytes: UInt32, count: Int) = (0, 0)
    /// Whether text of the member was lost.
    private var isPartial = false
    /// A mismatch with the last member's trailer; dropped if the member's data turns out to
    /// continue.
    private var doubt: Damage?
    /// Pending events, the next one last.
    private var waiting: [TextEvent] = []
    private let ahead: BlocksAhead?
    /// A text of ``ahead``, and how many bytes of it were delivered.
    private var block: (text: ByteBuffer, delivered: Int)?
    /// The number of bytes of text, and of events, so far.
    private var textCount: UInt64 = 0
    private var eventCount = 0
    private var points = AccessPoints()
    /// The text since the first flush after which ``inflater`` was not reset.
    private var recent: RecentText?

    /// - Parameters:
    ///   - size: the compressed size of the whole input, if known.
    ///   - most: the number of bytes to inflate at a time; few enough to be in the cache when their
    ///     CRC is computed.
    ///   - ahead: reads the same file.
    init(window: InputWindow, library: DeflateLibrary, size: UInt64?, most: Int = 256 << 10, ahead: BlocksAhead? = nil) {
        self.ahead = ahead
        self.window = window
        self.library = library
        self.size = size
        self.most = most
        inflater = library.makeInflater()
    }

    /// - Parameter window: at the access point.
    convenience init(
        window: InputWindow, library: DeflateLibrary, size: UInt64?, most: Int, ahead: BlocksAhead?, at point: AccessPoint, _ state: State
    ) {
        self.init(window: window, library: library, size: size, most: most, ahead: ahead)
        (textCount, eventCount) = (point.text, point.events)
        (member, members) = (state.member, state.members)
        (goesOnInsideRecord, wasCutBetweenMembers) = (state.goesOnInsideRecord, state.wasCutBetweenMembers)
        if state.searched > 0 { begunSearch = SalvageSearch(library: library, spent: state.searched) }
        guard let inside = state.inside else { return }
        (memberStart, memberSize) = (inside.memberStart, inside.memberSize)
        (checksum, flushes, isPartial) = (inside.checksum, inside.flushes, inside.isPartial)
        var history = RecentText()
        inside.history.withUnsafeBytes { history.take($0.bindMemory(to: UInt8.self)) }
        history.withBytes { inflater.reset(after: $0) }
        recent = history
        place = .body
        noteFlush()
        ahead?.beginMember()
        takeBlock()
    }

    private var search: SalvageSearch {
        if let begunSearch { return begunSearch }
        let search = SalvageSearch(library: library)
        begunSearch = search
        return search
    }

    func accessPoint(before text: UInt64, events: Int) -> AccessPoint? { points.last(before: text, events: events) }

    var position: UInt64 { window.position }
    /// The number of members whose header was found.
    private(set) var members = 0
    private(set) var goesOnInsideRecord = false
    private(set) var isUnproved = false
    private(set) var wasCutBetweenMembers = false

    func read(into output: UnsafeMutablePointer<UInt8>, room: Int) -> TextRead {
        while true {
            if let event = waiting.popLast() {
                // What came out between the cause and where the inflater noticed is wrong.
                if case .damage(let damage, _) = event { isUnproved = damage.kind == .corrupt }
                eventCount += 1
                return TextRead(count: 0, event: event)
            }
            switch place {
            case .header: beginMember()
            case .body where block != nil:
                let count = deliverBlock(into: output, room: min(room, most))
                if count > 0 { return TextRead(count: count, event: nil) }
            case .body:
                let produced = inflate(into: UnsafeMutableBufferPointer(start: output, count: min(room, most)))
                if produced > 0 { return TextRead(count: produced, event: nil) }
            case .trailer: endMember()
            case .between: goToNextMember()
            case .finished: return TextRead(count: 0, event: .end)
            }
        }
    }

    func giveUpMember() -> Bool {
        guard place == .body, waiting.isEmpty else { return false }
        let start = window.position
        if let block { ahead?.giveBack(block.text) }
        block = nil
        // What follows a flush would go on growing.
        goOn(at: search.find(in: window, from: start, flushesFrom: .max), after: passed(.bomb, from: start))
        return true
    }

    private func inflate(into output: UnsafeMutableBufferPointer<UInt8>) -> Int {
        let hasInput = window.fill()
        // At the end of the input, the library may still hold text.
        let input = hasInput ? flushes.stretch(of: window) : UnsafeBufferPointer(start: nil, count: 0)
        let step = inflater.inflate(input, into: output)
        window.advance(by: step.consumed)
        take(UnsafeBufferPointer(rebasing: UnsafeBufferPointer(output)[..<step.produced]))
        switch step.state {
        case .ended: place = .trailer
        case .corrupt where step.produced < output.count: passCorruptData()
        case .needsInput where !hasInput && step.produced == 0: finishEarly()
        case .outputFull where !hasInput && step.produced == 0: finishEarly()
        case .needsInput where flushes.isStop(window.position): passStop()
        case .needsInput where hasInput && step.produced == 0 && step.consumed == 0: passCorruptData()
        default: break
        }
        return step.produced
    }

    private func take(_ text: UnsafeBufferPointer<UInt8>) {
        checksum.crc = inflater.checksum(checksum.crc, of: text)
        checksum.count += UInt64(text.count)
        for byte in text.suffix(4) { tail.bytes = tail.bytes << 8 | UInt32(byte) }
        tail.count += text.count
        textCount += UInt64(text.count)
        recent?.take(text)
    }

    /// Handles the end of a marker, which may be a flush.
    private func passStop() {
        let isFlush = inflater.isBetweenBlocks
        flushes.passStop(isFlush: isFlush, last: tail.count > 0 ? UInt8(truncatingIfNeeded: tail.bytes) : nil)
        if isFlush {
            tail.count = 0
            noteFlush()
            takeBlock()
        } else if tail.count >= 4, tail.bytes != 0xFFFF, search.isAfterFlush(window) {
            // The marker is not stored text either: the inflater has been decoding garbage since
            // before it.
            goOn(at: .flush, after: damage(.corrupt, at: window.position, lost: 0))
        }
    }

    /// Makes the end of a flush an access point if the text before it is known. That is kept from
    /// the first flush on, so that members without flushes, which are most, cost nothing.
    private func noteFlush() {
        guard let recent else {
            recent = RecentText()
            return
        }
        guard recent.isWhole, points.want(at: textCount) else { return }
        note(
            State.Inside(
                memberStart: memberStart, memberSize: memberSize, checksum: checksum, flushes: flushes, isPartial: isPartial, history: recent.data))
    }

    private func note(_ inside: State.Inside?) {
        let state = State(
            member: member, members: members, goesOnInsideRecord: goesOnInsideRecord, wasCutBetweenMembers: wasCutBetweenMembers,
            searched: begunSearch?.spent ?? 0, inside: inside)
        points.add(AccessPoint(position: window.position, text: textCount, events: eventCount, state: .gzip(state)))
    }

    /// Passes the data after a flush if its text is known already.
    private func takeBlock() {
        guard let ahead, block == nil, let next = ahead.take(from: window.position) else { return }
        let last = next.text.count > 0 ? next.text.start[next.text.count - 1] : nil
        guard flushes.pass(to: next.end, last: last) else { return ahead.giveBack(next.text) }
        while window.position < next.end, window.fill() {
            window.advance(by: min(window.available.count, Int(next.end - window.position)))
        }
        checksum.append(next.checksum)
        block = (next.text, 0)
    }

    private func deliverBlock(into output: UnsafeMutablePointer<UInt8>, room: Int) -> Int {
        guard let (text, delivered) = block else { return 0 }
        let count = min(room, text.count - delivered)
        output.update(from: text.start + delivered, count: count)
        block = (text, delivered + count)
        textCount += UInt64(count)
        if delivered + count == text.count {
            block = nil
            text.withFilled { recent?.take($0) }
            noteFlush()
            takeBlock()
            if block == nil { inflater.reset(after: UnsafeBufferPointer(rebasing: text.filled.suffix(InflateHistory.count))) }
            ahead?.giveBack(text)
        }
        return count
    }

    private func beginMember() {
        if points.want(at: textCount) { note(nil) }
        memberStart = window.position
        var bytes = window.look(ahead: 1 << 10)
        var outcome = MemberHeader.parse(bytes) { inflater.checksum(0, of: $0) }
        while case .incomplete = outcome, bytes.count < InputWindow.ahead, !window.isComplete {
            bytes = window.look(ahead: bytes.count * 2)
            outcome = MemberHeader.parse(bytes) { inflater.checksum(0, of: $0) }
        }
        members += 1
        switch outcome {
        case .header(let header) where header.isIntact || search.confirm(in: window, at: memberStart):
            window.advance(by: header.count)
            beginData(size: header.memberSize)
            waiting.append(.member(member))
            if !header.isIntact { note(.header, at: memberStart, lost: 0, cutsText: false) }
        case .incomplete where window.isComplete && search.find(in: window, from: memberStart + 1, flushesFrom: memberStart + 1) == nil:
            finishEarly()
        case .incomplete, .header, .invalid:
            passGap(from: memberStart, isMember: true)
        }
    }

    private func beginData(size: UInt64?) {
        memberSize = size
        flushes = FlushMarks(from: window.position)
        (checksum, tail, isPartial) = (TextChecksum(), (0, 0), false)
        ahead?.beginMember()
        beginInflating()
    }

    /// Begins to inflate data that refers to nothing before it.
    private func beginInflating() {
        inflater.reset()
        recent = nil
        place = .body
    }

    private func endMember() {
        let bytes = window.look(ahead: MemberTrailer.count)
        guard let trailer = MemberTrailer(bytes[...]) else {
            window.advance(by: bytes.count)
            // The text is complete, but its check is missing.
            finishEarly(cutsText: false)
            return
        }
        let proved = MemberTrailer(checksum)
        if isPartial || trailer == proved {
            doubt = nil
        } else if trailer.crc != proved.crc {
            doubt = damage(.crc, at: window.position, lost: 0)
            doubt?.lostText = missingText(trailer)
        } else {
            doubt = damage(.length, at: window.position + 4, lost: 0)
        }
        window.advance(by: MemberTrailer.count)
        member += 1
        place = .between
    }

    /// The number of bytes by which the member's text is too short, at least. 0 if it is too long,
    /// or if the data cannot have had so much text, so that the trailer is wrong, too.
    private func missingText(_ trailer: MemberTrailer) -> UInt64 {
        let missing = Int32(bitPattern: trailer.count &- UInt32(truncatingIfNeeded: checksum.count))
        guard missing > 0, checksum.count + UInt64(missing) <= (window.position - memberStart) * Self.mostTextPerByte else { return 0 }
        return UInt64(missing)
    }

    /// What deflate reaches at most.
    private static let mostTextPerByte: UInt64 = 1032

    private func goToNextMember() {
        let start = window.position
        while window.fill() {
            let zeros = window.available.prefix { $0 == 0 }.count
            window.advance(by: zeros)
            if !window.available.isEmpty { break }
        }
        if !window.fill() {
            if window.failure != nil { finishEarly() } else { place = .finished }
            noteDoubt()
        } else if zip(window.look(ahead: 2), MemberHeader.magic).allSatisfy(==), window.position == start || search.confirm(in: window, at: window.position) {
            // Zeros between members are padding.
            place = .header
            noteDoubt()
        } else {
            passGap(from: start, isMember: false)
        }
    }

    /// Queues the mismatch before the events that are pending.
    private func noteDoubt() {
        if let doubt { waiting.append(.damage(doubt, cutsText: false)) }
        doubt = nil
    }

    /// Skips invalid data: to the end of the member if its header gave the size, else to the next
    /// flush or member.
    private func passCorruptData() {
        let met = window.position
        let isSized = memberSize.map { search.confirm(in: window, at: memberStart + $0) } == true
        goOn(at: isSized ? .member : findPlace(afterDamageAt: met), after: passed(.corrupt, from: met))
    }

    /// Skips bytes between members or, if `isMember`, a header that cannot be read.
    private func passGap(from start: UInt64, isMember: Bool) {
        // The supposed end of the member may be none, or its data may have run into the next
        // member.
        let isSuspect = !isMember && (isPartial || doubt != nil)
        let end = start - (isSuspect ? UInt64(MemberTrailer.count) : 0)
        if !isSuspect {
            memberStart = start
            flushes = FlushMarks(from: start)
        }
        let found = findPlace(afterDamageAt: end)
        switch found {
        case .flush where isSuspect:
            doubt = nil
            member -= 1
            goOn(at: .flush, after: passed(.corrupt, from: end))
        case .flush:
            // The flush belongs to a member whose header is lost.
            memberSize = nil
            waiting.append(.member(member))
            goOn(at: .flush, after: passed(.header, from: start))
        case .member: goOn(at: .member, after: passed(.header, from: start), isSuspect: isSuspect)
        case nil: goOn(at: nil, after: passed(isMember ? .header : .trailingGarbage, from: start), cutsText: isMember)
        }
        noteDoubt()
    }

    /// Finds the place to resume. The inflater may have run over a flush, or into the next member.
    private func findPlace(afterDamageAt met: UInt64) -> SalvageSearch.Place? {
        search.find(in: window, from: memberStart + 1, flushesFrom: flushes.first(afterDamageAt: met))
    }

    private func passed(_ kind: Damage.Kind, from start: UInt64) -> Damage {
        damage(kind, at: start, lost: window.position > start ? window.position - start : 0)
    }

    /// - Parameter isSuspect: whether the member before the damage may not have ended where it
    ///   seemed to.
    private func goOn(at found: SalvageSearch.Place?, after damage: Damage, cutsText: Bool = true, isSuspect: Bool = false) {
        if found == nil, window.failure != nil {
            waiting.append(.damage(.readError(at: window.position, size: size, member: member), cutsText: true))
        }
        waiting.append(.damage(damage, cutsText: cutsText))
        goesOnInsideRecord = found == .flush && !flushes.areBetweenLines
        wasCutBetweenMembers = damage.kind == .header && !isSuspect
        guard found == .flush else {
            member += 1
            place = found == .member ? .header : .finished
            return
        }
        flushes.resume(at: window.position)
        (tail, isPartial) = ((0, 0), true)
        beginInflating()
    }

    /// Handles the end of the input inside a member, or a read error.
    private func finishEarly(cutsText: Bool = true) {
        if window.failure == nil {
            note(.truncated, at: window.position, lost: 0, cutsText: cutsText)
        } else {
            waiting.append(.damage(.readError(at: window.position, size: size, member: member), cutsText: cutsText))
        }
        place = .finished
    }

    private func note(_ kind: Damage.Kind, at offset: UInt64, lost: UInt64, cutsText: Bool) {
        waiting.append(.damage(damage(kind, at: offset, lost: lost), cutsText: cutsText))
    }

    private func damage(_ kind: Damage.Kind, at offset: UInt64, lost: UInt64) -> Damage {
        Damage(kind: kind, offset: offset, member: member, lostBytes: lost, lostText: 0)
    }
}
