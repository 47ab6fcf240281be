import SluiceCEL

/// Rewrites `key=value` pairs as a JSON object: values as strings unless they have a type, a key
/// without a value as `true`.
///
/// Pairs are separated by blanks, tabs and, in a record of several lines, line feeds. The first `=`
/// ends a key. Only quoted values have escapes: those of JSON and, as Go's `strconv.Quote` writes
/// them, `\a`, `\v`, `\'`, `\xHH` and `\UXXXXXXXX`.
///
/// Unsafe memory: reads within the record.
struct LogfmtRewriter: RecordRewriter {
    static let failureCode = "parse.logfmt"

    private typealias Place = UnsafePointer<UInt8>
    private let types: LogfmtTypes

    init(types: LogfmtTypes = LogfmtTypes()) {
        self.types = types
    }

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
            let member = buffer.count
            buffer.append(separator)
            let key = place
            place = try writeKey(place, end, line, buffer)
            let type = types.type(of: UnsafeBufferPointer(start: key, count: place - key))
            var isNone = false
            if place < end, place.pointee == Self.equals {
                let (start, value) = (place + 1, buffer.count)
                place = try writeValue(start, end, line, buffer)
                guard place == end || Self.isGap(place.pointee) else { throw FormatFault("expected a blank", at: place, in: line) }
                if let type {
                    isNone = place == start
                    if !isNone { try convert(value, to: type, key, line, buffer) }
                }
            } else if let type, type != .bool {
                throw FormatFault("expected \(type.example) after the key", at: place, in: line)
            } else {
                buffer.append("true")
            }
            if isNone { buffer.count = member } else { separator = UInt8(ascii: ",") }
            place = Self.nextKey(place, end)
        }
        if separator != UInt8(ascii: ",") { buffer.append(separator) }
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

    /// Replaces a value that was written as a string with one of the type.
    ///
    /// - Parameters:
    ///   - value: the position in the buffer of the string's quote.
    ///   - key: the place of the pair.
    @inline(never)
    private func convert(
        _ value: Int, to type: FieldType, _ key: Place, _ line: UnsafeBufferPointer<UInt8>, _ buffer: ByteBuffer
    ) throws(FormatFault) {
        let text = UnsafeBufferPointer(rebasing: buffer.filled[(value + 1)..<(buffer.count - 1)])
        guard let start = text.baseAddress, let cell = type.cell(start, start + text.count) else {
            let found = String(decoding: text.prefix(40), as: UTF8.self) + (text.count > 40 ? "…" : "")
            let offset = line.baseAddress.map { key - $0 } ?? 0
            throw FormatFault("expected \(type.example) in the pair at byte \(offset), found '\(found)'")
        }
        buffer.count = value
        switch cell.kind {
        case .int: JSONText.write(Int(cell.intValue), to: buffer)
        case .double: JSONText.write(cell.doubleValue, to: buffer)
        case .bool: buffer.append(cell.boolValue ? "true" : "false")
        default: JSONText.writeTimestamp(seconds: cell.intValue, nanoseconds: cell.count, to: buffer)
        }
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
