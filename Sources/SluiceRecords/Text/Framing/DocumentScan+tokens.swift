/// What stands outside of values: the brackets, separators and names that lead to records.
extension DocumentScan {
    /// Reads one token.
    /// - Returns: false if more bytes are needed.
    func token(_ base: Place, _ end: Place) -> Bool {
        let byte = base[scanned]
        switch (state.phase, byte) {
        case (.itemSeparator, UInt8(ascii: ",")): move(to: .item)
        case (.itemSeparator, UInt8(ascii: "]")), (.itemOrClose, UInt8(ascii: "]")):
            state.isInList = false
            move(to: .document)
        case (.document, _), (.item, _), (.itemOrClose, _): beginDocument(byte)
        case (.memberOrClose, UInt8(ascii: "}")), (.memberSeparator, UInt8(ascii: "}")): endObject()
        case (.memberSeparator, UInt8(ascii: ",")): move(to: .member)
        case (.member, UInt8(ascii: "\"")), (.memberOrClose, UInt8(ascii: "\"")): return member(base, end)
        case (.found, _): beginRecords(byte)
        case (.elementOrClose, UInt8(ascii: "]")), (.elementSeparator, UInt8(ascii: "]")): endRecords()
        case (.elementSeparator, UInt8(ascii: ",")): move(to: .element)
        case (.element, UInt8(ascii: "]")), (.element, UInt8(ascii: ",")), (.elementOrClose, UInt8(ascii: ",")): lose(expecting: .value, byte)
        case (.element, _), (.elementOrClose, _): begin(.record, then: .elementSeparator)
        case (.itemSeparator, _), (.elementSeparator, _): lose(expecting: .commaOrBracket, byte)
        case (.memberSeparator, _): lose(expecting: .commaOrBrace, byte)
        case (.memberOrClose, _): lose(expecting: .keyOrClose, byte)
        case (.member, _): lose(expecting: .key, byte)
        }
        return true
    }

    private func lose(expecting expectation: JSONFault.Expectation, _ byte: UInt8) {
        lose("expected \(expectation.words), found \(JSONFault.name(ofByte: byte))")
    }

    private func move(to phase: State.Phase) {
        state.phase = phase
        scanned += 1
    }

    private func beginDocument(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "{") where path.isEmpty: begin(.record, then: .document)
        case UInt8(ascii: "["):
            guard !path.isEmpty else { return move(to: .elementOrClose) }
            guard !state.isInList else { return lose(expecting: .object, byte) }
            state.isInList = true
            move(to: .itemOrClose)
        case UInt8(ascii: "{"):
            hold()
            (state.level, state.hasRecords) = (0, false)
            move(to: .memberOrClose)
        default: lose("expected '{' or '[', found \(JSONFault.name(ofByte: byte))")
        }
    }

    private func endObject() {
        guard state.level > 0 else {
            scanned += 1
            return endDocument(at: scanned - 1)
        }
        state.level -= 1
        move(to: .memberSeparator)
    }

    /// Reads a name up to the first byte of its value.
    private func member(_ base: Place, _ end: Place) -> Bool {
        let open = base + scanned
        var close = open + 1
        while close < end, close.pointee != UInt8(ascii: "\""), close.pointee != 0x0A {
            close += close.pointee == UInt8(ascii: "\\") ? 2 : 1
        }
        guard close < end, !isOver(close - open) else { return waits(for: end - open) }
        guard close.pointee == UInt8(ascii: "\"") else {
            scanned = close - base
            lose("expected the end of a string, found byte 0x0A")
            return true
        }
        var ahead = value
        let colon = ahead.space(close + 1, end)
        guard colon < end, !isOver(colon - open) else { return waits(for: end - open) }
        guard colon.pointee == UInt8(ascii: ":") else {
            value = ahead
            scanned = colon - base
            lose(expecting: .colon, colon.pointee)
            return true
        }
        let first = ahead.space(colon + 1, end)
        guard first < end, !isOver(first - open) else { return waits(for: end - open) }
        value = ahead
        scanned = first - base
        take(isNext(open + 1, close), first.pointee)
        return true
    }

    private func isOver(_ count: Int) -> Bool { count > maxRecord }

    /// A name over the size limit is given up, whether its end has arrived or not.
    private func waits(for count: Int) -> Bool {
        guard isOver(count) else { return false }
        stopHolding()
        lose("a name is longer than source.max_record allows")
        return true
    }

    private func take(_ isOnPath: Bool, _ byte: UInt8) {
        if isOnPath, state.level + 1 == path.count {
            state.phase = .found
        } else if isOnPath, byte == UInt8(ascii: "{") {
            state.level += 1
            move(to: .memberOrClose)
        } else {
            begin(.skipped, then: .memberSeparator)
        }
    }

    /// Whether the text of a name is the next one of the path.
    private func isNext(_ start: Place, _ close: Place) -> Bool {
        let text = UnsafeBufferPointer(start: start, count: close - start)
        let name = path[state.level]
        guard text.contains(UInt8(ascii: "\\")) else { return text.elementsEqual(name) }
        do throws(JSONFault) {
            guard try JSONScan.string(start, close + 1).close == close else { return false }
        } catch {
            return false
        }
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: text.count + 8) { buffer in
            guard let key = buffer.baseAddress else { return false }
            buffer.initialize(repeating: 0)
            let count = JSONUnescape.copy(start, close, to: key)
            return UnsafeBufferPointer(start: UnsafePointer(key), count: count).elementsEqual(name)
        }
    }

    /// Begins the value that the path leads to.
    private func beginRecords(_ byte: UInt8) {
        state.hasRecords = true
        switch byte {
        case UInt8(ascii: "["):
            stopHolding()
            move(to: .elementOrClose)
        case UInt8(ascii: "{"): begin(.record, then: .memberSeparator)
        // As some programs write an empty list.
        case UInt8(ascii: "n"): begin(.skipped, then: .memberSeparator)
        default:
            begin(.record, then: .memberSeparator)
            fail("expected a list at '\(pathText)', found \(JSONFault.name(ofByte: byte))")
        }
    }

    private func endRecords() {
        guard path.isEmpty else { return move(to: .memberSeparator) }
        move(to: .document)
    }
}

/// Where records can be recognized again after text that is not valid.
extension DocumentScan {
    enum Recognition {
        case element(at: Int, indent: Int)
        case document(at: Int, indent: Int)
        case none
        /// The line is not yet there.
        case unknown
    }

    /// Whether the line can begin a record. It does if it begins with a brace, which may follow a
    /// comma or the end of another record, at the indentation of the line where the last record
    /// began. A line that is not indented begins a document; if the list of records is sought in
    /// each document, always, so that no document is taken for a record.
    func recordStart(after start: Int, in buffer: ByteBuffer) -> Recognition {
        var place = start
        func skipBlanks() {
            while place < buffer.count, buffer.start[place] == 0x20 || buffer.start[place] == 0x09 { place += 1 }
        }
        skipBlanks()
        let indent = place - start
        let begin = place
        if place < buffer.count, buffer.start[place] == UInt8(ascii: "}") {
            place += 1
            skipBlanks()
            guard place == buffer.count || buffer.start[place] == UInt8(ascii: ",") else { return .none }
        }
        if place < buffer.count, buffer.start[place] == UInt8(ascii: ",") {
            place += 1
            skipBlanks()
        }
        guard place < buffer.count else { return place - start > maxRecord ? .none : .unknown }
        let byte = buffer.start[place]
        if byte == UInt8(ascii: "{"), state.isInRecords, isElement(indent) { return .element(at: place, indent: indent) }
        guard indent == 0, place == begin, byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") else { return .none }
        return .document(at: place, indent: indent)
    }

    func isElement(_ indent: Int) -> Bool { indent == state.recordIndent && (path.isEmpty || indent > 0) }
}
