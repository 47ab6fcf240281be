/// Where a reader has come to after a batch, so that another one can go on there, for checkpoints.
///
/// The text that was read is read again from the last access point before the end of the batch.
struct ReaderState: Codable, Sendable, Equatable {
    struct PlacedDamage: Codable, Sendable, Equatable {
        var place: Int
        var damage: Damage
    }

    var point: AccessPoint
    /// The number of bytes of text, and of events, that were read.
    var textCount: UInt64
    var eventCount: Int
    /// Whether the last event is still to be handled.
    var hasEvent: Bool
    var offset: UInt64
    var line: UInt64
    var members: MemberPlaces
    var borders: MemberBorders
    var damage: [PlacedDamage]
    var suspects: SuspectRecords
    /// See ``UnsoundMembers/members``; in order.
    var unsound: [Int]
    var isUnsure: Bool
    var isFresh: Bool
    var head: FileHead?
    var wantsHead: Bool
    var directives: LogDirectives?
    var isDirectiveTorn: Bool
    var mostRecords: Int
    var hasDelivered: Bool
    var delivered: Int
    var totals: InputSummary

    /// Whether the numbers can belong together; not in a state file that was changed.
    var isSound: Bool {
        guard members.isSound, point.position <= UInt64(Int64.max), point.text <= offset, offset <= textCount else { return false }
        guard case .gzip(let state) = point.state, let inside = state.inside else { return true }
        return inside.flushes.isSound(at: point.position)
    }
}

extension BatchReader {
    /// Goes on after the batch that another reader of the same input returned.
    ///
    /// - Parameter bytes: open at ``AccessPoint/windowStart``.
    /// - Returns: `nil` if the input is not the same.
    convenience init?(
        _ file: InputFile, of bytes: any InputBytes, index: Int, configuration: Configuration, buffers: BufferPool, after state: ReaderState
    ) {
        let window = InputWindow(from: state.point.windowStart) { bytes.read(into: $0) }
        self.init(
            file, index: index, configuration: configuration, buffers: buffers, window: window, bytes: bytes, ahead: BlocksAhead(bytes, configuration),
            after: state)
    }

    /// - Parameters:
    ///   - window: the input's bytes from ``AccessPoint/windowStart`` on.
    ///   - most: the number of bytes to decompress at a time.
    convenience init?(
        _ file: InputFile, index: Int, configuration: Configuration, buffers: BufferPool, window: InputWindow, bytes: (any InputBytes)?,
        ahead: BlocksAhead? = nil, inflateAtMost most: Int = 256 << 10, after state: ReaderState
    ) {
        let size = bytes?.size ?? file.size
        guard state.isSound, let text = state.point.source(in: window, library: configuration.library, size: size, most: most, ahead: ahead) else { return nil }
        self.init(
            file, index: index, configuration: configuration, buffers: buffers, text: InputText(text), bytes: bytes, ahead: ahead,
            unsound: Swift.Set(state.unsound))
        guard goOn(after: state) else {
            close()
            return nil
        }
    }

    /// An input with more damage is read again from its beginning.
    private static var mostDamage: Int { 256 }

    /// The state after the batch that was cut last; `nil` if the input has no access point before
    /// its end, or what follows is divided in a way that depends on what is before.
    var state: ReaderState? {
        // Each state has a copy of what is known to be damaged.
        guard scan.isStateless, totals.damage.count <= Self.mostDamage, unsound.count <= Self.mostDamage,
            let point = text.accessPoint(before: offset, events: eventCount)
        else { return nil }
        return ReaderState(
            point: point, textCount: offset + UInt64(buffer.count), eventCount: eventCount, hasEvent: event != nil, offset: offset, line: line,
            members: members, borders: borders,
            damage: damage.map { ReaderState.PlacedDamage(place: $0.place, damage: $0.damage) }, suspects: suspects, unsound: unsound.sorted(),
            isUnsure: isUnsure, isFresh: isFresh, head: head, wantsHead: wantsHead, directives: directives, isDirectiveTorn: isDirectiveTorn,
            mostRecords: mostRecords, hasDelivered: hasDelivered, delivered: delivered, totals: totals)
    }

    private func goOn(after state: ReaderState) -> Bool {
        guard readAgain(state) else { return false }
        (offset, line) = (state.offset, state.line)
        (members, borders) = (state.members, state.borders)
        damage = state.damage.map { ($0.place, $0.damage) }
        (suspects, isUnsure, isFresh) = (state.suspects, state.isUnsure, state.isFresh)
        (head, wantsHead) = (state.head, state.wantsHead)
        (directives, isDirectiveTorn) = (state.directives, state.isDirectiveTorn)
        mostRecords = state.mostRecords
        (hasDelivered, delivered, totals) = (state.hasDelivered, state.delivered, state.totals)
        return true
    }

    /// Reads the text from the access point to where the other reader had come, and keeps what
    /// follows its last batch.
    private func readAgain(_ state: ReaderState) -> Bool {
        var at = state.point.text
        var last: TextEvent?
        eventCount = state.point.events
        while at < state.textCount || eventCount < state.eventCount {
            let isBefore = at < state.offset
            let wanted = min(UInt64(Batch.targetBytes), max(1, (isBefore ? state.offset : state.textCount) - at))
            let count = buffer.count
            read(atMost: Int(wanted))
            at += UInt64(buffer.count - count)
            if isBefore { buffer.count = 0 }
            guard at <= state.textCount, event != .end || (at == state.textCount && eventCount == state.eventCount) else { return false }
            last = event ?? last
        }
        guard eventCount == state.eventCount, !state.hasEvent || last != nil else { return false }
        event = state.hasEvent ? last : nil
        return true
    }
}
