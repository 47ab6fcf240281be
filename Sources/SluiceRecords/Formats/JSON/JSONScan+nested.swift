/// Scans lists and maps of any depth without recursion: one bit per level tells which of the two it
/// is.
extension JSONScan {
    /// - Parameters:
    ///   - start: the opening bracket or brace.
    ///   - level: the number of enclosing levels.
    @inline(never)
    static func nested(_ start: Place, _ end: Place, level: Int) throws(JSONFault) -> Place {
        var levels = Levels()
        var place = start
        var depth = 0
        while true {
            // A value begins here.
            if place.pointee == UInt8(ascii: "{") || place.pointee == UInt8(ascii: "[") {
                guard place < end else { throw JSONFault(.value, at: end) }
                let isMap = place.pointee == UInt8(ascii: "{")
                guard level + depth < depthLimit else { throw JSONFault(.depth, at: place) }
                levels[depth] = isMap
                depth += 1
                place = space(place + 1, end)
                let close = isMap ? UInt8(ascii: "}") : UInt8(ascii: "]")
                if place.pointee == close, place < end {
                    place += 1
                    depth -= 1
                } else {
                    if isMap { place = try key(place, end, .keyOrClose) }
                    continue
                }
            } else {
                place = try scalar(place, end)
            }
            // A value has ended: handle commas and closing brackets.
            while true {
                guard depth > 0 else { return place }
                place = space(place, end)
                let isMap = levels[depth - 1]
                guard place < end else { throw JSONFault(isMap ? .commaOrBrace : .commaOrBracket, at: end) }
                if place.pointee == UInt8(ascii: ",") {
                    place = space(place + 1, end)
                    if isMap { place = try key(place, end, .key) }
                    break
                }
                guard place.pointee == (isMap ? UInt8(ascii: "}") : UInt8(ascii: "]")) else {
                    throw JSONFault(isMap ? .commaOrBrace : .commaOrBracket, at: place)
                }
                place += 1
                depth -= 1
            }
        }
    }

    /// Scans from a key's quote to the first byte of its value.
    @inline(__always)
    static func key(_ start: Place, _ end: Place, _ expectation: JSONFault.Expectation) throws(JSONFault) -> Place {
        guard start < end, start.pointee == UInt8(ascii: "\"") else { throw JSONFault(expectation, at: start) }
        let close = try string(start + 1, end).close
        return try colon(close + 1, end)
    }

    /// Scans from after a key to the first byte of its value.
    @inline(__always)
    static func colon(_ start: Place, _ end: Place) throws(JSONFault) -> Place {
        var place = start
        if place.pointee != UInt8(ascii: ":") { place = space(place, end) }
        guard place < end, place.pointee == UInt8(ascii: ":") else { throw JSONFault(.colon, at: place) }
        place += 1
        if place.pointee <= 0x20 { place = space(place, end) }
        guard place < end else { throw JSONFault(.value, at: end) }
        return place
    }

    @inline(__always)
    static func scalar(_ start: Place, _ end: Place) throws(JSONFault) -> Place {
        guard start < end else { throw JSONFault(.value, at: end) }
        switch start.pointee {
        case UInt8(ascii: "\""): return try string(start + 1, end).close + 1
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): return try number(start, end).end
        default: return try literal(start)
        }
    }

    /// Scans any value, including lists and maps.
    @inline(__always)
    static func value(_ start: Place, _ end: Place, level: Int) throws(JSONFault) -> Place {
        if start.pointee | 0x20 == UInt8(ascii: "{") { return try nested(start, end, level: level) }
        return try scalar(start, end)
    }

    private struct Levels {
        private var words = InlineArray<16, UInt64>(repeating: 0)

        subscript(level: Int) -> Bool {
            @inline(__always) get { words[level >> 6] >> UInt64(level & 63) & 1 != 0 }
            @inline(__always) set {
                let bit: UInt64 = 1 << UInt64(level & 63)
                words[level >> 6] = newValue ? words[level >> 6] | bit : words[level >> 6] & ~bit
            }
        }
    }
}
