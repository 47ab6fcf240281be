import CBytes
import SluiceCEL

/// Writes values as fields.
///
/// Unsafe memory: a vector load may reach past the end of a text only within the memory page of its
/// first byte, and those bytes are never used.
struct CSVText: Sendable {
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

    /// - Parameters:
    ///   - isFirst: whether it is the first field of its record.
    ///   - isAlone: whether it is the only field of its record.
    @inline(__always)
    func write(_ cell: Cell, isFirst: Bool, isAlone: Bool, _ scratch: Scratch, to buffer: ByteBuffer) {
        switch cell.kind {
        case .absent, .null: nulls.written.withUnsafeBufferPointer { buffer.append($0) }
        case .string, .bytes, .json: write(cell.textBytes, isFirst: isFirst, isAlone: isAlone, to: buffer)
        case .boxed: write(scratch.boxedValue(cell), isFirst: isFirst, isAlone: isAlone, to: buffer)
        default: writePlain(cell, scratch, to: buffer)
        }
    }

    /// Writes a name in the header.
    func write(_ text: String, isFirst: Bool, isAlone: Bool, to buffer: ByteBuffer) {
        var text = text
        text.withUTF8 { write($0, isFirst: isFirst, isAlone: isAlone, to: buffer) }
    }

    @inline(__always)
    private func write(_ text: UnsafeBufferPointer<UInt8>, isFirst: Bool, isAlone: Bool, to buffer: ByteBuffer) {
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
            if UInt(bitPattern: place) & 4095 <= 4096 - 32 {
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

    /// Writes a value as in JSON, without the quotes of values that JSON has no type for.
    private func writePlain(_ cell: Cell, _ scratch: Scratch, to buffer: ByteBuffer) {
        let isNumber = [.int, .uint, .double, .decimal].contains(cell.kind)
        writeUnquoted(isNumber: isNumber, to: buffer) { JSONText.write(cell, scratch, to: $0) }
    }

    private func write(_ value: Value, isFirst: Bool, isAlone: Bool, to buffer: ByteBuffer) {
        switch value {
        case .null, .optional(nil): nulls.written.withUnsafeBufferPointer { buffer.append($0) }
        case .optional(let value?): write(value, isFirst: isFirst, isAlone: isAlone, to: buffer)
        case .string(let text): write(text, isFirst: isFirst, isAlone: isAlone, to: buffer)
        case .bytes(let bytes):
            bytes.withUnsafeBufferPointer { write($0, isFirst: isFirst, isAlone: isAlone, to: buffer) }
        case .ip(let address): write(address.description, isFirst: isFirst, isAlone: isAlone, to: buffer)
        case .cidr(let network): write(network.description, isFirst: isFirst, isAlone: isAlone, to: buffer)
        case .type(let type): write(type.name, isFirst: isFirst, isAlone: isAlone, to: buffer)
        case .list, .map:
            let json = ByteBuffer(capacity: 256)
            JSONText.write(value, to: json)
            json.withFilled { write($0, isFirst: isFirst, isAlone: isAlone, to: buffer) }
        case .int, .uint, .double, .decimal:
            writeUnquoted(isNumber: true, to: buffer) { JSONText.write(value, to: $0) }
        case .bool, .timestamp, .duration:
            writeUnquoted(isNumber: false, to: buffer) { JSONText.write(value, to: $0) }
        }
    }

    /// - Parameter write: writes the value as JSON: quoted, without escapes, or unquoted.
    private func writeUnquoted(isNumber: Bool, to buffer: ByteBuffer, _ write: (ByteBuffer) -> Void) {
        let start = buffer.count
        write(buffer)
        if buffer.start[start] == UInt8(ascii: "\"") {
            (buffer.start + start).update(from: buffer.start + start + 1, count: buffer.count - start - 2)
            buffer.count -= 2
        }
        let isQuoted = quotes == .all || (quotes == .nonnumeric && !isNumber)
        guard isQuoted || splitsNumbers else { return }
        let text = Array(UnsafeBufferPointer(rebasing: buffer.filled[start...]))
        guard isQuoted || text.contains(where: isSpecial) else { return }
        buffer.count = start
        text.withUnsafeBufferPointer { writeQuoted($0, to: buffer) }
    }
}
