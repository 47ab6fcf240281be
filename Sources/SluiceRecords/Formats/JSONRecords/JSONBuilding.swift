import SluiceCEL

/// Builds a value from JSON text with explicit stacks instead of recursion, in linear time.
///
/// Unsafe memory: reads by the rules of ``JSONScan``.
struct JSONBuilding {
    private struct Open {
        var isMap: Bool
        /// The start of its values in `values`, and of its keys in `keys`.
        var firstValue: Int
        var firstKey: Int
    }

    private var place: JSONScan.Place
    private let end: JSONScan.Place
    private var open: [Open] = []
    private var values: [Value] = []
    private var keys: [String] = []
    /// The number of values that may follow.
    private var left: Int
    /// Whether there were more.
    var isExhausted: Bool { left < 0 }

    init(_ start: JSONScan.Place, _ end: JSONScan.Place, mostValues: Int = .max) {
        left = mostValues
        place = JSONScan.space(start, end)
        self.end = end
    }

    mutating func value() throws(JSONFault) -> Value {
        while true {
            guard var value = try leafOrOpen() else { continue }
            while let innermost = open.last {
                values.append(value)
                guard let closed = try separator(innermost) else { break }
                value = closed
            }
            guard open.isEmpty else { continue }
            place = JSONScan.space(place, end)
            guard place == end else { throw JSONFault(.end, at: place) }
            return value
        }
    }

    /// - Returns: `nil` if a list or a map was opened; `place` is then at its first value.
    private mutating func leafOrOpen() throws(JSONFault) -> Value? {
        guard place < end else { throw JSONFault(.value, at: end) }
        left -= 1
        guard !isExhausted else { throw JSONFault(.value, at: place) }
        let isMap = place.pointee == UInt8(ascii: "{")
        guard isMap || place.pointee == UInt8(ascii: "[") else {
            let value = try leaf()
            guard place <= end else { throw JSONFault(.value, at: end) }
            return value
        }
        guard open.count < JSONScan.depthLimit else { throw JSONFault(.depth, at: place) }
        place = JSONScan.space(place + 1, end)
        guard place < end else { throw JSONFault(isMap ? .keyOrClose : .value, at: end) }
        if place.pointee == (isMap ? UInt8(ascii: "}") : UInt8(ascii: "]")) {
            place += 1
            return isMap ? .map(ValueMap()) : .list([])
        }
        open.append(Open(isMap: isMap, firstValue: values.count, firstKey: keys.count))
        if isMap { try readKey(.keyOrClose) }
        return nil
    }

    private mutating func leaf() throws(JSONFault) -> Value {
        switch place.pointee {
        case UInt8(ascii: "\""):
            let (close, isEscaped) = try JSONScan.string(place + 1, end)
            defer { place = close + 1 }
            guard close < end else { throw JSONFault(.quote, at: end) }
            return .string(JSONValue.string(place + 1, close, isEscaped))
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
            let number = try JSONScan.number(place, end)
            place = number.end
            return JSONValue.number(number)
        default:
            let first = place.pointee
            place = try JSONScan.literal(place)
            return first == UInt8(ascii: "n") ? .null : .bool(first == UInt8(ascii: "t"))
        }
    }

    private mutating func readKey(_ expectation: JSONFault.Expectation) throws(JSONFault) {
        guard place < end, place.pointee == UInt8(ascii: "\"") else { throw JSONFault(expectation, at: place) }
        let (close, isEscaped) = try JSONScan.string(place + 1, end)
        let value = try JSONScan.colon(close + 1, end)
        keys.append(JSONValue.string(place + 1, close, isEscaped))
        place = value
    }

    /// Parses what follows a value of the innermost list or map.
    /// - Returns: that list or map if it ends here; `nil` if another value follows.
    private mutating func separator(_ innermost: Open) throws(JSONFault) -> Value? {
        let expectation = innermost.isMap ? JSONFault.Expectation.commaOrBrace : .commaOrBracket
        place = JSONScan.space(place, end)
        guard place < end else { throw JSONFault(expectation, at: end) }
        if place.pointee == UInt8(ascii: ",") {
            place = JSONScan.space(place + 1, end)
            if innermost.isMap { try readKey(.key) }
            return nil
        }
        guard place.pointee == (innermost.isMap ? UInt8(ascii: "}") : UInt8(ascii: "]")) else { throw JSONFault(expectation, at: place) }
        place += 1
        open.removeLast()
        return close(innermost)
    }

    private mutating func close(_ innermost: Open) -> Value {
        let members = values[innermost.firstValue...]
        defer {
            values.removeSubrange(innermost.firstValue...)
            keys.removeSubrange(innermost.firstKey...)
        }
        guard innermost.isMap else { return .list(Array(members)) }
        var map = ValueMap()
        for (key, value) in zip(keys[innermost.firstKey...], members) { map.set(key, to: value) }
        return .map(map)
    }
}
