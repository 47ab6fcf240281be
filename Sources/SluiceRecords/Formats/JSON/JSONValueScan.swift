import CBytes

/// Finds the end of a JSON value whose bytes arrive in pieces of any size.
///
/// Checks how lists, maps, keys and strings follow each other. Numbers, literals, escapes and the
/// text of strings are left to decoding, except that a line feed ends no string: so an unclosed
/// quote is noticed in its own line.
///
/// Unsafe memory: reads up to the given end, except for loads of 32 bytes, which padding covers.
struct JSONValueScan {
    typealias Place = UnsafePointer<UInt8>

    enum Step {
        /// All bytes are read, and the value may go on.
        case more
        /// The position after the value.
        case end(Place)
        case fault(Place, JSONFault.Expectation)
    }

    private enum Phase: UInt8 {
        case value, valueOrClose, keyOrClose, key, colon, separator, string, keyString, scalar
    }

    private var phase = Phase.value
    private var kinds = InlineArray<16, UInt64>(repeating: 0)
    private var depth = 0
    /// Whether the last byte was a backslash in a string.
    private var isEscaped = false

    /// The line feeds so far.
    var feeds = 0
    /// The number of blanks at the beginning of the current line.
    var indent = 0
    /// Whether only blanks were read of the current line.
    var isIndent = true

    /// Begins another value at the next byte, which is no white space.
    mutating func begin() { (phase, depth, isEscaped) = (.value, 0, false) }

    /// The position after white space.
    mutating func space(_ start: Place, _ end: Place) -> Place {
        var place = start
        while place < end {
            switch place.pointee {
            case 0x0A:
                feeds += 1
                (indent, isIndent) = (0, true)
            case 0x20, 0x09: if isIndent { indent += 1 }
            case 0x0D: break
            default:
                isIndent = false
                return place
            }
            place += 1
        }
        return place
    }

    mutating func advance(_ start: Place, _ end: Place) -> Step {
        var place = start
        while place < end {
            if phase == .string || phase == .keyString {
                switch string(place, end) {
                case .more: return .more
                case .fault(let fault, let expectation): return .fault(fault, expectation)
                case .end(let close): place = close
                }
                if phase == .keyString { phase = .colon } else if endsValue() { return .end(place) }
                continue
            }
            if phase == .scalar {
                while place < end, Self.isScalar(place.pointee) { place += 1 }
                guard place < end else { return .more }
                if endsValue() { return .end(place) }
                continue
            }
            if place.pointee <= 0x20 {
                let next = space(place, end)
                if next == place { return .fault(place, expectation) }
                place = next
                continue
            }
            isIndent = false
            guard take(place.pointee) else { return .fault(place, depth > JSONScan.depthLimit ? .depth : expectation) }
            if phase != .scalar { place += 1 }
            if depth == 0, phase == .separator { return .end(place) }
        }
        return .more
    }

    /// Whether a scalar that ends here ends the whole value.
    private mutating func endsValue() -> Bool {
        phase = .separator
        return depth == 0
    }

    /// Takes one byte, which is not in a string.
    /// - Returns: whether it is permitted here.
    private mutating func take(_ byte: UInt8) -> Bool {
        switch (phase, byte) {
        case (.value, UInt8(ascii: "{")), (.valueOrClose, UInt8(ascii: "{")): return open(isMap: true)
        case (.value, UInt8(ascii: "[")), (.valueOrClose, UInt8(ascii: "[")): return open(isMap: false)
        case (.value, UInt8(ascii: "\"")), (.valueOrClose, UInt8(ascii: "\"")): phase = .string
        case (.keyOrClose, UInt8(ascii: "\"")), (.key, UInt8(ascii: "\"")): phase = .keyString
        case (.colon, UInt8(ascii: ":")): phase = .value
        case (.separator, UInt8(ascii: ",")): phase = isInMap ? .key : .value
        case (.separator, UInt8(ascii: "}")) where isInMap, (.keyOrClose, UInt8(ascii: "}")): close()
        case (.separator, UInt8(ascii: "]")) where !isInMap, (.valueOrClose, UInt8(ascii: "]")): close()
        case (.value, _), (.valueOrClose, _):
            guard Self.isScalar(byte) else { return false }
            phase = .scalar
        default: return false
        }
        return true
    }

    private mutating func open(isMap: Bool) -> Bool {
        guard depth < JSONScan.depthLimit else {
            depth += 1
            return false
        }
        let bit: UInt64 = 1 << UInt64(depth & 63)
        kinds[depth >> 6] = isMap ? kinds[depth >> 6] | bit : kinds[depth >> 6] & ~bit
        depth += 1
        phase = isMap ? .keyOrClose : .valueOrClose
        return true
    }

    private mutating func close() {
        depth -= 1
        phase = .separator
    }

    private var isInMap: Bool { depth > 0 && kinds[(depth - 1) >> 6] >> UInt64((depth - 1) & 63) & 1 != 0 }

    private var expectation: JSONFault.Expectation {
        switch phase {
        case .value, .valueOrClose, .scalar, .string: .value
        case .keyOrClose: .keyOrClose
        case .key, .keyString: .key
        case .colon: .colon
        case .separator: isInMap ? .commaOrBrace : .commaOrBracket
        }
    }

    private mutating func string(_ start: Place, _ end: Place) -> Step {
        var place = start
        if isEscaped {
            isEscaped = false
            if place.pointee != 0x0A { place += 1 }
        }
        while place < end {
            let stops = cbytes_string_stops32(place)
            guard stops != 0 else {
                place += 32
                continue
            }
            place += stops.trailingZeroBitCount
            guard place < end else { break }
            switch place.pointee {
            case UInt8(ascii: "\""): return .end(place + 1)
            case UInt8(ascii: "\\"):
                place += 1
                if place == end { isEscaped = true } else if place.pointee != 0x0A { place += 1 }
            case 0x0A: return .fault(place, .quote)
            default:
                place += 1
                while place < end, place.pointee >= 0x80 { place += 1 }
            }
        }
        return .more
    }

    /// Whether the byte may be part of a number or a literal.
    @inline(__always)
    private static func isScalar(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."):
            true
        default: false
        }
    }
}
