import CBytes

/// Writes values as fields.
///
/// Unsafe memory: a vector load may reach past the end of a text only within the memory page of its
/// first byte, and those bytes are never used.
struct CSVText: FieldText {
    private let separator: UInt8
    private let quote: UInt8
    private let escape: UInt8
    private let nulls: Nulls
    private let quotes: CSV.Quotes
    /// Whether the text of a number or a time may contain the separator.
    private let splitsNumbers: Bool

    init(_ quoting: Quoting, nulls: Nulls, quotes: CSV.Quotes) {
        separator = quoting.separator
        quote = quoting.quote ?? UInt8(ascii: "\"")
        escape = quoting.escape
        self.nulls = nulls
        self.quotes = quotes
        let letters = UInt8(ascii: "A")...UInt8(ascii: "Z")
        let marks = "0123456789+-.:".utf8
        splitsNumbers = [separator, quote, escape].contains { letters.contains($0 & 0xDF) || marks.contains($0) }
    }

    func separate(_ buffer: ByteBuffer) { buffer.append(separator) }

    func writeNull(to buffer: ByteBuffer) { nulls.written.withUnsafeBufferPointer { buffer.append($0) } }

    @inline(__always)
    func write(_ text: UnsafeBufferPointer<UInt8>, isFirst: Bool, isAlone: Bool, to buffer: ByteBuffer) {
        if quotes == .minimal, !needsQuotes(text, isFirst: isFirst, isAlone: isAlone) {
            buffer.append(text)
        } else {
            writeQuoted(text, to: buffer)
        }
    }

    /// Whether readers would misread the text without quotes: an empty text or a null text as no
    /// value, outer blanks as padding, `#` as a comment, `\.` as the end of the data, a byte order
    /// mark as that of the file.
    private func needsQuotes(_ text: UnsafeBufferPointer<UInt8>, isFirst: Bool, isAlone: Bool) -> Bool {
        guard let start = text.baseAddress, let first = text.first, let last = text.last else { return true }
        if first <= 0x20 || last <= 0x20 { return true }
        if isFirst {
            if first == UInt8(ascii: "#") || text.starts(with: [0xEF, 0xBB, 0xBF]) { return true }
            if isAlone, text.count == 2, first == UInt8(ascii: "\\"), last == UInt8(ascii: ".") { return true }
        }
        let end = start + text.count
        if nulls.contains(start, end) { return true }
        var place = start
        while place < end {
            if VectorLoad.isSafe(place, end) {
                let needs = cbytes_quoting_needs32(place, separator, quote, escape)
                if needs != 0, needs.trailingZeroBitCount < end - place { return true }
                place += 32
            } else {
                if isSpecial(place.pointee) { return true }
                place += 1
            }
        }
        return false
    }

    private func isSpecial(_ byte: UInt8) -> Bool {
        byte == separator || byte == quote || byte == escape || byte == 0x0A || byte == 0x0D
    }

    private func writeQuoted(_ text: UnsafeBufferPointer<UInt8>, to buffer: ByteBuffer) {
        buffer.append(quote)
        var rest = text[...]
        while let place = rest.firstIndex(where: { $0 == quote || $0 == escape }) {
            buffer.append(UnsafeBufferPointer(rebasing: rest[..<place]))
            buffer.append(escape)
            buffer.append(rest[place])
            rest = rest[(place + 1)...]
        }
        buffer.append(UnsafeBufferPointer(rebasing: rest))
        buffer.append(quote)
    }

    /// - Parameter write: writes the value as JSON: quoted, without escapes, or unquoted.
    func writeUnquoted(isNumber: Bool, to buffer: ByteBuffer, _ write: (ByteBuffer) -> Void) {
        let start = buffer.count
        Self.writeWithoutQuotes(to: buffer, write)
        let isQuoted = quotes == .all || (quotes == .nonnumeric && !isNumber)
        guard isQuoted || splitsNumbers else { return }
        let text = Array(UnsafeBufferPointer(rebasing: buffer.filled[start...]))
        guard isQuoted || text.contains(where: isSpecial) else { return }
        buffer.count = start
        text.withUnsafeBufferPointer { writeQuoted($0, to: buffer) }
    }
}
