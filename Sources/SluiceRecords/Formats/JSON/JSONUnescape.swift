import CBytes

/// Unescapes JSON strings that ``JSONScan`` has validated.
///
/// Unsafe memory: the output is never longer than the input, which is the room that callers
/// provide.
enum JSONUnescape {
    /// - Returns: the number of bytes written to `target`.
    static func copy(_ start: JSONScan.Place, _ close: JSONScan.Place, to target: UnsafeMutablePointer<UInt8>) -> Int {
        var place = start
        var output = target
        while place < close {
            let byte = place.pointee
            guard byte == UInt8(ascii: "\\") else {
                let run = plainRun(place, close)
                output.update(from: place, count: run)
                output += run
                place += run
                continue
            }
            if place[1] == UInt8(ascii: "u") {
                place = unicode(place, close, &output)
            } else {
                output.pointee = single(place[1])
                output += 1
                place += 2
            }
        }
        return output - target
    }

    private static func plainRun(_ start: JSONScan.Place, _ close: JSONScan.Place) -> Int {
        var place = start
        while place < close {
            let mask = cbytes_equals32(place, UInt8(ascii: "\\"))
            if mask != 0 { return min(place + mask.trailingZeroBitCount, close) - start }
            place += 32
        }
        return close - start
    }

    private static func single(_ letter: UInt8) -> UInt8 {
        switch letter {
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "f"): 0x0C
        case UInt8(ascii: "n"): 0x0A
        case UInt8(ascii: "r"): 0x0D
        case UInt8(ascii: "t"): 0x09
        default: letter
        }
    }

    /// Decodes a `\u` escape, or a surrogate pair of them. A lone surrogate becomes U+FFFD.
    private static func unicode(
        _ start: JSONScan.Place, _ close: JSONScan.Place, _ output: inout UnsafeMutablePointer<UInt8>
    ) -> JSONScan.Place {
        let unit = codeUnit(start + 2)
        guard unit & 0xF800 == 0xD800 else {
            append(unit, &output)
            return start + 6
        }
        if unit < 0xDC00, close - start >= 12, start[6] == UInt8(ascii: "\\"), start[7] == UInt8(ascii: "u") {
            let low = codeUnit(start + 8)
            if low & 0xFC00 == 0xDC00 {
                append(0x10000 + (unit & 0x3FF) << 10 + low & 0x3FF, &output)
                return start + 12
            }
        }
        append(0xFFFD, &output)
        return start + 6
    }

    private static func codeUnit(_ digits: JSONScan.Place) -> UInt32 {
        var unit: UInt32 = 0
        for place in digits..<digits + 4 { unit = unit << 4 | (JSONScan.hexDigit(place.pointee) ?? 0) }
        return unit
    }

    private static func append(_ code: UInt32, _ output: inout UnsafeMutablePointer<UInt8>) {
        func put(_ byte: UInt32) {
            output.pointee = UInt8(truncatingIfNeeded: byte)
            output += 1
        }
        switch code {
        case 0..<0x80:
            put(code)
        case 0x80..<0x800:
            put(0xC0 | code >> 6)
            put(0x80 | code & 0x3F)
        case 0x800..<0x10000:
            put(0xE0 | code >> 12)
            put(0x80 | code >> 6 & 0x3F)
            put(0x80 | code & 0x3F)
        default:
            put(0xF0 | code >> 18)
            put(0x80 | code >> 12 & 0x3F)
            put(0x80 | code >> 6 & 0x3F)
            put(0x80 | code & 0x3F)
        }
    }
}
