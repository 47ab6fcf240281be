import CBytes

/// Quoted text in lines of access logs.
///
/// Unsafe memory is read: loads of 32 bytes may reach past the end of the text, which the padding
/// after each record covers.
enum LogQuotes {
    typealias Place = UnsafePointer<UInt8>

    /// - Parameter start: the byte after the opening quote.
    /// - Returns: the closing quote, or the end if there is none, and whether the text contains a
    ///   backslash.
    @inline(__always)
    static func closingQuote(_ start: Place, _ end: Place) -> (close: Place, isEscaped: Bool) {
        var place = start
        var isEscaped = false
        while place < end {
            let stops = cbytes_quotes32(place)
            guard stops != 0 else {
                place += 32
                continue
            }
            place += stops.trailingZeroBitCount
            if place.pointee == UInt8(ascii: "\"") { return (min(place, end), isEscaped) }
            isEscaped = true
            place += 2
        }
        return (end, isEscaped)
    }
}
