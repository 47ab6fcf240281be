/// Cuts JSON documents into records as they arrive: the elements of a list, or of the list at a
/// path in each document, or whole documents. Documents may follow one another.
///
/// Of a document only the current record is kept in memory. What is not valid becomes a record with
/// a ``FramingFault``, up to the next line that can begin a record; see
/// ``DocumentScan/recordStart(after:in:)``. A document without a list is one, too.
///
/// Unsafe memory: reads a ``ByteBuffer`` up to its count, and its padding.
final class DocumentScan: RecordScan {
    typealias Place = UnsafePointer<UInt8>
    typealias State = DocumentState

    enum Within {
        case nothing, record, skipped, lost
    }

    let path: [[UInt8]]
    let maxRecord: Int

    private(set) var frames: [Frame] = []
    private(set) var recordStart = 0
    private(set) var spansLines = false
    private var faults: [FramingFault] = []
    /// The state before each frame, at ``recordStart``, and at the buffer's start.
    private var states: [State] = []
    private var recordState = State()
    private var startState = State()
    /// The state at ``scanned``; after the value, if that is within one.
    var state = State()
    var within = Within.nothing
    var value = JSONValueScan()
    var scanned = 0
    /// The number of lines before ``recordStart``.
    private var lines = 0
    /// Whether ``recordStart`` is that of a document whose list was not found yet.
    private var isHolding = false
    /// Why the current record is none.
    private var fault: FramingFault?

    init(path: [[UInt8]], maxRecord: Int) {
        self.path = path
        self.maxRecord = maxRecord
    }

    var feedsInRecord: Int { value.feeds - lines }
    let findsRecordsAfterGaps = true
    let isStateless = false

    func advance(over buffer: ByteBuffer) {
        while scanned < buffer.count, step(buffer) {}
        if isHolding, buffer.count - recordStart > maxRecord { isHolding = false }
        settle()
    }

    /// - Returns: false if more bytes are needed.
    private func step(_ buffer: ByteBuffer) -> Bool {
        let base = Place(buffer.start)
        switch within {
        case .record:
            let goesOn = pass(base, base + buffer.count)
            if within == .lost { beginRecordHere(buffer) }
            return goesOn
        case .skipped: return pass(base, base + buffer.count)
        case .lost: return seek(buffer)
        case .nothing:
            scanned = value.space(base + scanned, base + buffer.count) - base
            return scanned < buffer.count && token(base, base + buffer.count)
        }
    }

    /// Moves ``recordStart`` to where reading has come, if nothing before must be kept.
    private func settle() {
        guard !isHolding, within == .nothing || within == .skipped else { return }
        recordStart = scanned
        lines = value.feeds
        recordState = snapshot
    }

    private var snapshot: State {
        var state = state
        (state.indent, state.isIndent) = (value.indent, value.isIndent)
        return state
    }

    private func pass(_ base: Place, _ end: Place) -> Bool {
        switch value.advance(base + scanned, end) {
        case .more:
            scanned = end - base
            return false
        case .end(let place):
            scanned = place - base
            if within == .record { append(to: scanned) }
            within = .nothing
        case .fault(let place, let expectation):
            scanned = place - base
            lose("expected \(expectation.words), found \(JSONFault.name(ofByte: place.pointee))")
        }
        return true
    }

    /// Begins a value that is a record, or one that is passed over.
    func begin(_ kind: Within, then phase: State.Phase) {
        if kind == .record {
            isHolding = false
            settle()
            state.recordIndent = value.indent
        }
        state.phase = phase
        within = kind
        value.begin()
    }

    /// Keeps the text of the document that begins here, until its list is found.
    func hold() {
        settle()
        isHolding = true
    }

    func stopHolding() { isHolding = false }

    /// Ends a document, which is one record if it has no list.
    ///
    /// - Parameter place: the position of its last byte.
    func endDocument(at place: Int) {
        if !path.isEmpty, !state.hasRecords {
            if !isHolding || place + 1 - recordStart > maxRecord {
                // The document is gone; its last byte stands for it.
                isHolding = false
                scanned = place
                settle()
            }
            fail("the document has no list at '\(pathText)'")
            scanned = place + 1
            append(to: scanned)
        }
        isHolding = false
        let isInList = state.isInList
        state.beginDocument()
        state.isInList = isInList
        if isInList { state.phase = .itemSeparator }
    }

    var pathText: String { path.map { String(decoding: $0, as: UTF8.self) }.joined(separator: ".") }

    /// Adds the record that begins at ``recordStart``, with what is wrong with it.
    private func append(to end: Int) {
        frames.append(Frame(start: UInt32(recordStart), count: UInt32(end - recordStart), lineDelta: UInt32(lines)))
        states.append(recordState)
        if value.feeds > lines { spansLines = true }
        guard var fault else { return }
        fault.start = UInt32(recordStart)
        faults.append(fault)
        self.fault = nil
    }

    /// - Parameter isFirst: see ``FramingFault/isFirst``.
    func fail(_ message: String, isFirst: Bool = true) {
        fault = FramingFault(start: 0, code: JSON.failureCode, message: message, isFirst: isFirst)
    }

    /// Notes that the text at ``scanned`` is not valid, which makes one record of it and of what
    /// cannot be told apart from it.
    func lose(_ message: String) {
        if within == .record {
            fail("the record is not valid JSON: \(message)", isFirst: false)
        } else {
            fail("the document is not valid JSON: \(message)")
            within = .nothing
            // As if the text up to here had arrived alone.
            if scanned - recordStart > maxRecord { isHolding = false }
            settle()
        }
        recordState.recordIndent = state.recordIndent
        recordState.lost = State.Lost(fault: fault, skip: scanned - recordStart, feeds: value.feeds - lines)
        state.lost = recordState.lost
        within = .lost
        isHolding = false
    }

    private func seek(_ buffer: ByteBuffer) -> Bool {
        while true {
            let start: Int
            if state.lost?.isLineStart == true {
                start = scanned
            } else if let feed = buffer.firstLineFeed(from: scanned) {
                start = feed + 1
            } else {
                scanned = buffer.count
                return false
            }
            switch recordStart(after: start, in: buffer) {
            case .unknown:
                scanned = max(scanned, start - 1)
                return false
            case .none:
                if state.lost?.isLineStart == true {
                    state.lost?.isLineStart = false
                } else {
                    value.feeds += 1
                }
                scanned = start
            case .element(let place, let indent):
                find(at: place, indent: indent, lineStart: start)
                state.phase = .element
                return true
            case .document(let place, let indent):
                find(at: place, indent: indent, lineStart: start)
                state.beginDocument()
                return true
            }
        }
    }

    /// Begins a record at the brace where the record before was found not to be valid, if the brace
    /// is what a line that can begin a record begins with: that record lacks its own last brace.
    private func beginRecordHere(_ buffer: ByteBuffer) {
        let text = UnsafeBufferPointer(rebasing: buffer.filled[recordStart..<scanned])
        guard let feed = text.lastIndex(of: 0x0A) else { return }
        let start = recordStart + feed + 1
        switch recordStart(after: start, in: buffer) {
        case .element(let place, let indent) where place == scanned:
            find(at: place, indent: indent, lineStart: start, isFeedCounted: true)
            state.phase = .element
        case .document(let place, let indent) where place == scanned:
            find(at: place, indent: indent, lineStart: start, isFeedCounted: true)
            state.beginDocument()
        default: break
        }
    }

    /// Ends the text that is no record before the line in which a record was recognized.
    private func find(at place: Int, indent: Int, lineStart: Int, isFeedCounted: Bool = false) {
        if lineStart - 1 > recordStart { append(to: lineStart - 1) }
        if !isFeedCounted, state.lost?.isLineStart != true { value.feeds += 1 }
        (fault, state.lost, within) = (nil, nil, .nothing)
        (value.indent, value.isIndent) = (indent, false)
        scanned = place
    }

    func endRecord(of buffer: ByteBuffer) {
        switch within {
        case .record:
            if fault == nil { fail("the document ends inside a record", isFirst: false) }
            append(to: buffer.count)
        case .lost:
            let isLineEnd = buffer.count > 0 && buffer.start[buffer.count - 1] == 0x0A
            let end = buffer.count - (isLineEnd ? 1 : 0)
            if recordStart < end { append(to: end) }
        case .nothing, .skipped:
            if isHolding || state.phase != .document || within == .skipped {
                fail("the document ends before it is complete")
                append(to: buffer.count)
            }
        }
        scanned = buffer.count
        (state, within, isHolding, fault) = (State(), .nothing, false, nil)
        settle()
    }

    func lines(of count: Int) -> Int { count < frames.count ? Int(frames[count].lineDelta) : lines }

    func faults(of count: Int) -> [FramingFault] {
        count < frames.count ? faults.filter { $0.start < frames[count].start } : faults
    }

    func take(_ count: Int) -> [Frame] {
        let taken = count == frames.count ? frames : Array(frames[..<count])
        if count == frames.count, recordStart == scanned, within != .record, within != .lost {
            // Nothing is read again, not even a value that is passed over.
            restart(at: 0)
        } else {
            startState = count < frames.count ? states[count] : recordState
            reset()
        }
        return taken
    }

    func reset() {
        state = startState
        (within, isHolding, fault) = (.nothing, false, nil)
        restart(at: 0)
        (value.indent, value.isIndent) = (state.indent, state.isIndent)
        guard let lost = state.lost else { return recordState = state }
        (within, fault) = (.lost, lost.fault)
        (scanned, value.feeds) = (lost.skip, lost.feeds)
        recordState = state
    }

    /// Forgets the frames, and goes on at the given position of the next bytes.
    private func restart(at place: Int) {
        (frames, faults, states) = ([], [], [])
        (recordStart, scanned, lines, value.feeds, spansLines) = (0, place, 0, 0, false)
    }

    func dropIdle() -> (bytes: Int, lines: Int) {
        let bytes = frames.first.map { Int($0.start) } ?? recordStart
        guard bytes > 0 else { return (0, 0) }
        let dropped = frames.first.map { Int($0.lineDelta) } ?? lines
        for index in frames.indices {
            frames[index].start -= UInt32(bytes)
            frames[index].lineDelta -= UInt32(dropped)
        }
        for index in faults.indices { faults[index].start -= UInt32(bytes) }
        (recordStart, scanned) = (recordStart - bytes, scanned - bytes)
        (lines, value.feeds) = (lines - dropped, value.feeds - dropped)
        return (bytes, dropped)
    }
}

/// Records over the size limit, and gaps.
extension DocumentScan {
    func beginPassing() -> Int {
        let passed = feedsInRecord
        value.feeds = 0
        return passed
    }

    func passing(in buffer: ByteBuffer, from start: Int) -> (end: Int, next: Int, lines: Int)? {
        let base = Place(buffer.start)
        if within == .record {
            switch value.advance(base + scanned, base + buffer.count) {
            case .more:
                scanned = 0
                return nil
            case .end(let place):
                let lines = value.feeds
                (within, fault) = (.nothing, nil)
                resume(in: snapshot)
                return (place - base, place - base, lines)
            case .fault(let place, _):
                scanned = place - base
                fail("the text follows invalid JSON")
                within = .lost
            }
        }
        guard let feed = buffer.firstLineFeed(from: min(scanned, buffer.count)) else {
            scanned = 0
            return nil
        }
        let lines = value.feeds + 1
        var next = state
        next.lost = State.Lost(fault: fault, isLineStart: true)
        resume(in: next)
        return (feed, feed + 1, lines)
    }

    func noteGap(isLineStart: Bool) {
        var next = recordState
        let fault = FramingFault(start: 0, code: "record.torn", message: "the text follows a gap, and no record begins in it", isFirst: true)
        next.lost = State.Lost(fault: fault, isLineStart: isLineStart && !path.isEmpty)
        resume(in: next)
    }

    private func resume(in next: State) {
        startState = next
        reset()
    }
}
