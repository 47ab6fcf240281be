/// Rewrites `key=value` pairs as a JSON object: values as strings, a key without a value as `true`.
///
/// Pairs are separated by blanks, tabs and, in a record of several lines, line feeds. The first `=`
/// ends a key. Only quoted values have escapes: those of JSON and, as Go's `strconv.Quote` writes
/// them, `\a`, `\v`, `\'`, `\xHH` and `\UXXXXXXXX`.
///
/// Unsafe memory: reads within the record.
struct LogfmtRewriter: RecordRewriter {
    static let failureCode = "parse.logfmt"

    private typealias Place = UnsafePointer<UInt8>
    private static let quote = UInt8(ascii: "\"")
    private static let backslash = UInt8(ascii: "\\")
    private static let equals = UInt8(ascii: "=")

    func rewrite(_ record: UnsafeBufferPointer<UInt8>, to buffer: ByteBuffer) throws(FormatFault) -> Bool {
        let line = LineText.withoutEnd(record)
        guard let start = line.baseAddress else { return false }
        if let invalid = UTF8Text.firstInvalid(in: line) { throw FormatFault("invalid UTF-8", at: start + invalid, in: line) }
        let end = start + line.count
        var place = Self.nextKey(start, end)
        guard place < end else { return false }
        var separator = UInt8(ascii: "{")
        while place < end {
            buffer.append(separator)
            separator = UInt8(ascii: ",")
            place = try writeKey(place, end, line, buffer)
            if place < end, place.pointee == Self.equals {
                place = try writeValue(place + 1, end, line, buffer)
                guard place == end || Self.isGap(place.pointee) else { throw FormatFault("expected a blank", at: place, in: line) }
            } else {
                buffer.append("true")
            }
            place = Self.nextKey(place, end)
        }
        buffer.append(UInt8(ascii: "}"))
        return true
    }

    /// Skips white space and, because others do, control characters.
    @inline(__always)
    private static func nextKey(_ start: Place, _ end: Place) -> Place {
        var place = start
        while place < end, place.pointee <= 0x20 { place += 1 }
        return place
    }

    @inline(__always)
    private static func isGap(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0A }

    private func writeKey(
        _ start: Place, _ end: Place, _ line: UnsafeBufferPointer<UInt8>, _ buffer: ByteBuffer
    ) throws(FormatFault) -> Place {
        var place = start
        var isPlain = true
        while place < end, place.pointee != Self.equals, !Self.isGap(place.pointee) {
            if place.pointee < 0x20 { throw FormatFault("a control character in a key", at: place, in: line) }
            if place.pointee == Self.quote { throw FormatFault("a quote in a key", at: place, in: line) }
            if place.pointee == Self.backslash { isPlain = false }
            place += 1
        }
        if place == start { throw FormatFault("expected a key", at: place, in: line) }
        Self.write(start, place, isPlain: isPlain, to: buffer)
        buffer.append(UInt8(ascii: ":"))
        return place
    }

    private func writeValue(
        _ start: Place, _ end: Place, _ line: UnsafeBufferPointer<UInt8>, _ buffer: ByteBuffer
    ) throws(FormatFault) -> Place {
        if start < end, start.pointee == Self.quote { return try writeQuoted(start, end, line, buffer) }
        var place = start
        var isPlain = true
        while place < end, !Self.isGap(place.pointee) {
            if place.pointee == Self.quote { throw FormatFault("a quote inside a value without quotes", at: place, in: line) }
            if place.pointee < 0x20 || place.pointee == Self.backslash { isPlain = false }
            place += 1
        }
        Self.write(start, place, isPlain: isPlain, to: buffer)
        return place
    }

    @inline(__always)
    private static func write(_ start: Place, _ end: Place, isPlain: Bool, to buffer: ByteBuffer) {
        let text = UnsafeBufferPointer(start: start, count: end - start)
        guard isPlain else { return JSONText.write(text, to: buffer) }
        buffer.append(quote)
        buffer.append(text)
        buffer.append(quote)
    }

    /// - Parameter open: the opening quote.
    private func writeQuoted(
        _ open: Place, _ end: Place, _ line: UnsafeBufferPointer<UInt8>, _ buffer: ByteBuffer
    ) throws(FormatFault) -> Place {
        buffer.append(Self.quote)
        var place = open + 1
        while true {
            let run = place
            while place < end, place.pointee >= 0x20, place.pointee != Self.quote, place.pointee != Self.backslash { place += 1 }
            buffer.append(UnsafeBufferPointer(start: run, count: place - run))
            guard place < end else { throw FormatFault("the quote at byte \(open - (line.baseAddress ?? open)) is not closed") }
            if place.pointee == Self.quote { break }
            if place.pointee == Self.backslash {
                place = try LogfmtEscape.rewrite(place, end, line, to: buffer)
            } else {
                JSONText.writeEscaped(UnsafeBufferPointer(start: place, count: 1), to: buffer)
                place += 1
            }
        }
        buffer.append(Self.quote)
        return place + 1
    }
}
