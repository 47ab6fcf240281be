import SluiceCEL

/// Visits the members of an object one by one: for messages, merging and other work outside of the
/// hot path.
///
/// Unsafe memory: 64 bytes after each text must be readable, as for decoders. Text that is not an
/// object has no members; invalid text has the members up to the first error.
package enum JSONMembers {
    struct Member {
        /// The unescaped key.
        var name: String
        var span: MemberSpan
    }

    /// The text without surrounding white space.
    package static func trimmed(_ text: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8> {
        func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 }
        guard let first = text.firstIndex(where: { !isSpace($0) }), let last = text.lastIndex(where: { !isSpace($0) }) else {
            return UnsafeBufferPointer(rebasing: text[..<0])
        }
        return UnsafeBufferPointer(rebasing: text[first...last])
    }

    /// The names in the order of the text, including duplicates.
    package static func names(of text: UnsafeBufferPointer<UInt8>) -> [String] {
        all(of: text).map(\.name)
    }

    static func all(of text: UnsafeBufferPointer<UInt8>) -> [Member] {
        var members: [Member] = []
        guard let start = text.baseAddress else { return members }
        do throws(JSONFault) {
            try forEach(in: text) { (key, isEscaped, value, end) throws(JSONFault) in
                let close = try JSONScan.string(key + 1, end).close
                let span = MemberSpan(start: UInt32(key - start), value: UInt32(value - start), end: UInt32(end - start))
                members.append(Member(name: JSONValue.string(key + 1, close, isEscaped), span: span))
            }
        } catch {
            return members
        }
        return members
    }

    /// Calls `body` with each member: the key's quote, whether the key has escapes, the value's
    /// first byte and the value's end.
    /// - Returns: false if the text is not an object.
    @discardableResult
    static func forEach(
        in text: UnsafeBufferPointer<UInt8>,
        _ body: (JSONScan.Place, Bool, JSONScan.Place, JSONScan.Place) throws(JSONFault) -> Void
    ) throws(JSONFault) -> Bool {
        guard let start = text.baseAddress else { return false }
        let end = start + text.count
        var place = JSONScan.space(start, end)
        guard place < end, place.pointee == UInt8(ascii: "{") else { return false }
        place = JSONScan.space(place + 1, end)
        guard place < end else { throw JSONFault(.keyOrClose, at: end) }
        if place.pointee == UInt8(ascii: "}") { return true }
        while true {
            guard place < end, place.pointee == UInt8(ascii: "\"") else { throw JSONFault(.key, at: place) }
            let (close, isEscaped) = try JSONScan.string(place + 1, end)
            let value = try JSONScan.colon(close + 1, end)
            let valueEnd = try JSONScan.value(value, end, level: 1)
            guard valueEnd < end else { throw JSONFault(.commaOrBrace, at: end) }
            try body(place, isEscaped, value, valueEnd)
            place = JSONScan.space(valueEnd, end)
            guard place < end else { throw JSONFault(.commaOrBrace, at: end) }
            if place.pointee == UInt8(ascii: "}") { return true }
            guard place.pointee == UInt8(ascii: ",") else { throw JSONFault(.commaOrBrace, at: place) }
            place = JSONScan.space(place + 1, end)
        }
    }

    /// Writes the object merged with the members of `other`, which replace members of the same name
    /// or are added at the end. Of duplicate names, the last wins. Without `other`, the object is
    /// written unchanged.
    package static func merge(_ text: UnsafeBufferPointer<UInt8>, with other: UnsafeBufferPointer<UInt8>?, into buffer: ByteBuffer) {
        let own = all(of: text)
        guard let other, let otherStart = other.baseAddress, let start = text.baseAddress else {
            buffer.append(trimmed(text))
            return
        }
        let others = all(of: other)
        let last = Dictionary(own.enumerated().map { (Name($1.name), $0) }) { $1 }
        var newest = Dictionary(others.enumerated().map { (Name($1.name), $0) }) { $1 }
        buffer.append(UInt8(ascii: "{"))
        var isFirst = true
        func put(_ base: UnsafePointer<UInt8>, _ from: UInt32, _ end: UInt32) {
            buffer.append(UnsafeBufferPointer(start: base + Int(from), count: Int(end - from)))
        }
        var replaced: Set<Name> = []
        for (place, member) in own.enumerated() {
            let name = Name(member.name)
            let index = newest[name]
            guard index == nil ? last[name] == place : replaced.insert(name).inserted else { continue }
            if !isFirst { buffer.append(UInt8(ascii: ",")) }
            isFirst = false
            put(start, member.span.start, index == nil ? member.span.end : member.span.value)
            if let index { put(otherStart, others[index].span.value, others[index].span.end) }
        }
        for name in replaced { newest[name] = nil }
        for (index, member) in others.enumerated() where newest[Name(member.name)] == index {
            if !isFirst { buffer.append(UInt8(ascii: ",")) }
            isFirst = false
            put(otherStart, member.span.start, member.span.end)
        }
        buffer.append(UInt8(ascii: "}"))
    }

    /// Writes the object with only the last of members that have the same name. The buffer must be
    /// another one than the text's.
    static func writeUnique(_ text: UnsafeBufferPointer<UInt8>, to buffer: ByteBuffer) {
        let members = all(of: text)
        let last = Dictionary(members.enumerated().map { (Name($1.name), $0) }) { $1 }
        buffer.append(UInt8(ascii: "{"))
        var isFirst = true
        for (place, member) in members.enumerated() where last[Name(member.name)] == place {
            if !isFirst { buffer.append(UInt8(ascii: ",")) }
            isFirst = false
            buffer.append(UnsafeBufferPointer(rebasing: text[Int(member.span.start)..<Int(member.span.end)]))
        }
        buffer.append(UInt8(ascii: "}"))
    }
}
