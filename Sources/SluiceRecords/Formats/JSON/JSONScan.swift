import CBytes

/// The grammar of RFC 8259, validated without building values.
///
/// Unsafe memory: every function takes a position in a text and the text's end, and returns the
/// position after what it scanned. A token may be scanned past the end if the bytes there happen to
/// continue it, but loops stop at the end, and no load reaches more than 64 bytes beyond it, which
/// ``ByteBuffer/padding`` and ``TextArena`` keep readable. So callers must check that the returned
/// position is not past the end before they trust the result.
enum JSONScan {
    typealias Place = UnsafePointer<UInt8>

    /// The limit of nesting levels, including the record itself.
    static let depthLimit = 1024

    @inline(__always)
    static func space(_ start: Place, _ end: Place) -> Place {
        var place = start
        while place < end, place.pointee <= 0x20 {
            guard place.pointee == 0x20 || place.pointee == 0x0A || place.pointee == 0x0D || place.pointee == 0x09 else { break }
            place += 1
        }
        return place
    }

    /// - Parameter start: the byte after the opening quote.
    /// - Returns: the closing quote, and whether the text contains a backslash.
    @inline(__always)
    static func string(_ start: Place, _ end: Place) throws(JSONFault) -> (close: Place, isEscaped: Bool) {
        let stops = cbytes_string_stops32(start)
        if stops != 0 {
            let stop = start + stops.trailingZeroBitCount
            if stop.pointee == UInt8(ascii: "\"") { return (stop, false) }
            return try longString(stop, end)
        }
        return try longString(start + 32, end)
    }

    @inline(never)
    private static func longString(_ start: Place, _ end: Place) throws(JSONFault) -> (close: Place, isEscaped: Bool) {
        var place = start
        var isEscaped = false
        while place < end {
            let stops = cbytes_string_stops32(place)
            guard stops != 0 else {
                place += 32
                continue
            }
            place += stops.trailingZeroBitCount
            switch place.pointee {
            case UInt8(ascii: "\""):
                return (place, isEscaped)
            case UInt8(ascii: "\\"):
                isEscaped = true
                place = try escape(place, end)
            case 0x80...:
                place = try beyondASCII(place, end)
            default:
                throw place < end ? JSONFault(.control, at: place) : JSONFault(.quote, at: end)
            }
        }
        throw JSONFault(.quote, at: end)
    }

    @inline(__always)
    private static func escape(_ backslash: Place, _ end: Place) throws(JSONFault) -> Place {
        switch backslash[1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "n"),
            UInt8(ascii: "r"), UInt8(ascii: "t"):
            return backslash + 2
        case UInt8(ascii: "u"):
            for digit in backslash + 2..<backslash + 6 where hexDigit(digit.pointee) == nil {
                throw JSONFault(.hexDigit, at: digit)
            }
            return backslash + 6
        default:
            throw JSONFault(.escape, at: backslash + 1)
        }
    }

    @inline(__always)
    private static func beyondASCII(_ start: Place, _ end: Place) throws(JSONFault) -> Place {
        var place = start
        while place < end, place.pointee >= 0x80 {
            let length = UTF8Text.sequence(at: place)
            guard length > 0, place + length <= end else { throw JSONFault(.utf8, at: place) }
            place += length
        }
        return place
    }

    @inline(__always)
    static func hexDigit(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte &- UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte &- UInt8(ascii: "a") &+ 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte &- UInt8(ascii: "A") &+ 10)
        default: nil
        }
    }

    /// The position after the digits that begin here; `start` if there are none.
    @inline(__always)
    static func digits(_ start: Place, _ end: Place) -> Place {
        let stops = cbytes_nondigits16(start)
        if stops != 0 { return start + stops.trailingZeroBitCount }
        return manyDigits(start + 16, end)
    }

    @inline(never)
    private static func manyDigits(_ start: Place, _ end: Place) -> Place {
        var place = start
        while place < end {
            let stops = cbytes_nondigits16(place)
            if stops != 0 { return place + stops.trailingZeroBitCount }
            place += 16
        }
        return place
    }

    /// - Parameter start: the sign or the first digit.
    @inline(__always)
    static func number(_ start: Place, _ end: Place) throws(JSONFault) -> NumberText {
        let isNegative = start.pointee == UInt8(ascii: "-")
        let first = isNegative ? start + 1 : start
        var place = digits(first, end)
        if first.pointee == UInt8(ascii: "0") {
            place = first + 1
        } else if place == first {
            throw JSONFault(.digit, at: first)
        }
        var number = NumberText(isNegative: isNegative, digits: first, point: place, end: place, isInteger: true)
        if place.pointee == UInt8(ascii: ".") || place.pointee | 0x20 == UInt8(ascii: "e") {
            try fraction(&number, end)
        }
        return number
    }

    @inline(__always)
    private static func fraction(_ number: inout NumberText, _ end: Place) throws(JSONFault) {
        number.isInteger = false
        var place = number.end
        if place.pointee == UInt8(ascii: ".") {
            let first = place + 1
            place = digits(first, end)
            guard place > first else { throw JSONFault(.digit, at: place) }
        }
        number.fractionEnd = place
        if place.pointee | 0x20 == UInt8(ascii: "e") {
            place += 1
            if place.pointee == UInt8(ascii: "+") || place.pointee == UInt8(ascii: "-") { place += 1 }
            let first = place
            place = digits(first, end)
            guard place > first else { throw JSONFault(.digit, at: place) }
        }
        number.end = place
    }

    /// Scans `true`, `false` or `null`.
    @inline(__always)
    static func literal(_ start: Place) throws(JSONFault) -> Place {
        let word = cbytes_load32(start)
        if word == 0x6C6C_756E || word == 0x6575_7274 { return start + 4 }
        if word == 0x736C_6166, start[4] == UInt8(ascii: "e") { return start + 5 }
        switch start.pointee {
        case UInt8(ascii: "t"), UInt8(ascii: "f"), UInt8(ascii: "n"): throw JSONFault(.literal, at: start)
        default: throw JSONFault(.value, at: start)
        }
    }
}

/// The parts of a number's text: `digits ..< point` before the point, up to `fractionEnd` after it,
/// then the exponent up to `end`.
struct NumberText {
    var isNegative: Bool
    var digits: JSONScan.Place
    var point: JSONScan.Place
    var fractionEnd: JSONScan.Place
    var end: JSONScan.Place
    var isInteger: Bool

    @inline(__always)
    init(isNegative: Bool, digits: JSONScan.Place, point: JSONScan.Place, end: JSONScan.Place, isInteger: Bool) {
        self.isNegative = isNegative
        self.digits = digits
        self.point = point
        fractionEnd = end
        self.end = end
        self.isInteger = isInteger
    }
}
