import CBytes

/// Functions from text to text, or to a number, that need no `String`: results point into the
/// argument's own text, or into the arena.
extension GenericCall {
    /// `size` of text, in code points.
    func size(_ text: Operand) -> CellCode {
        let code = text.code
        return CellCode { cells, scratch in
            let cell = code(cells, scratch)
            if cell.kind == .string { return .int(Int64(codePoints(cell.textBytes))) }
            if cell.kind == .bytes { return .int(Int64(cell.count)) }
            return self(cell, scratch)
        }
    }

    /// `substring(start)` and `substring(start, end)`, in code points.
    func substring(_ text: Operand, _ start: Operand, _ last: Operand?) -> CellCode {
        guard let last else { return tail(text.code, start.code) }
        let (text, start, end) = (text.code, start.code, last.code)
        return CellCode { cells, scratch in
            let cell = text(cells, scratch)
            if cell.kind == .error { return .error }
            let from = start(cells, scratch)
            if from.kind == .error { return .error }
            let to = end(cells, scratch)
            if to.kind == .error { return .error }
            return part(of: cell, from: from, to: to) ?? self.call([cell, from, to], scratch)
        }
    }

    private func tail(_ text: CellCode, _ start: CellCode) -> CellCode {
        CellCode { cells, scratch in
            let cell = text(cells, scratch)
            if cell.kind == .error { return .error }
            let from = start(cells, scratch)
            return part(of: cell, from: from, to: nil) ?? self(cell, from, scratch)
        }
    }

    /// `indexOf(part)`, in code points.
    func indexOf(_ text: Operand, _ part: Operand) -> CellCode {
        let (text, part) = (text.code, part.code)
        return CellCode { cells, scratch in
            let cell = text(cells, scratch)
            if cell.kind == .error { return .error }
            let part = part(cells, scratch)
            guard cell.kind == .string, part.kind == .string, let start = cell.textBytes.baseAddress, let wanted = part.textBytes.baseAddress else {
                return self(cell, part, scratch)
            }
            let found = cbytes_find(start, Int(cell.count), wanted, Int(part.count))
            return .int(found < 0 ? -1 : Int64(codePoints(UnsafeBufferPointer(start: start, count: found))))
        }
    }

    /// `trim()` if the text begins and ends with ASCII.
    func trim(_ text: Operand) -> CellCode {
        let code = text.code
        return CellCode { cells, scratch in
            let cell = code(cells, scratch)
            guard cell.kind == .string else { return self(cell, scratch) }
            var rest = cell.textBytes[...]
            while let first = rest.first, isBlank(first) { rest.removeFirst() }
            while let last = rest.last, isBlank(last) { rest.removeLast() }
            if let first = rest.first, let last = rest.last, first >= 0x80 || last >= 0x80 { return self(cell, scratch) }
            guard let start = cell.textBytes.baseAddress else { return cell }
            return .text(.string, start + rest.startIndex, count: rest.count)
        }
    }

    /// Changes ASCII letters and keeps everything else: `lowerAscii`, and `lower` if the text is
    /// ASCII.
    func changingCase(_ text: Operand, toLower: Bool, beyondASCII: Bool) -> CellCode {
        let code = text.code
        let first: UInt8 = toLower ? 0x41 : 0x61
        return CellCode { cells, scratch in
            let cell = code(cells, scratch)
            guard cell.kind == .string else { return self(cell, scratch) }
            let bytes = cell.textBytes
            var changes = false
            for byte in bytes {
                if byte >= 0x80, beyondASCII { return self(cell, scratch) }
                if byte &- first < 26 { changes = true }
            }
            guard changes else { return cell }
            guard scratch.hasRoom(for: bytes.count) else { return self.tooMuch(scratch) }
            let copy = scratch.text.allocate(bytes.count)
            for index in bytes.indices {
                let byte = bytes[index]
                copy[index] = byte &- first < 26 ? byte ^ 0x20 : byte
            }
            return .text(.string, copy, count: bytes.count)
        }
    }

}

/// `text.split(separator)[index]` with constants, without building the list. Nil for separators and
/// indices that are not handled here.
func cutPiece(_ text: Operand, separator: Constant, index: Int64, orElse slow: CellCode) -> CellCode? {
    guard let separator = separator.cell, separator.kind == .string, separator.count > 0, index >= 0 else { return nil }
    let code = text.code
    return CellCode { cells, scratch in
        let cell = code(cells, scratch)
        guard cell.kind == .string, let piece = cutPiece(cell.textBytes, separator.textBytes, index) else {
            return cell.kind == .error ? .error : slow(cells, scratch)
        }
        return piece
    }
}

/// The piece at `index` of a text split at every separator; nil if there are fewer pieces.
private func cutPiece(_ text: UnsafeBufferPointer<UInt8>, _ separator: UnsafeBufferPointer<UInt8>, _ index: Int64) -> Cell? {
    guard var start = text.baseAddress, let cut = separator.baseAddress else {
        return nil
    }
    var left = text.count
    var skip = index
    while true {
        let found = cbytes_find(start, left, cut, separator.count)
        if skip == 0 { return .text(.string, start, count: found < 0 ? left : found) }
        if found < 0 { return nil }
        start += found + separator.count
        left -= found + separator.count
        skip -= 1
    }
}

private func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

/// Counts every byte except continuation bytes.
func codePoints(_ text: UnsafeBufferPointer<UInt8>) -> Int {
    var count = 0
    for byte in text where byte & 0xC0 != 0x80 { count &+= 1 }
    return count
}

/// Nil unless all are of the right kinds and in range.
private func part(of text: Cell, from: Cell, to: Cell?) -> Cell? {
    guard text.kind == .string, from.kind == .int, to == nil || to?.kind == .int else { return nil }
    let bytes = text.textBytes
    guard let base = bytes.baseAddress, let first = byteOffset(ofCodePoint: from.intValue, in: bytes, after: 0) else { return nil }
    guard let to else { return .text(.string, base + first, count: bytes.count - first) }
    guard to.intValue >= from.intValue,
        let last = byteOffset(ofCodePoint: to.intValue - from.intValue, in: bytes, after: first)
    else { return nil }
    return .text(.string, base + first, count: last - first)
}

/// Where the code point `index`, counted from the byte offset `start`, begins; the end of the text
/// is a valid position.
private func byteOffset(ofCodePoint index: Int64, in text: UnsafeBufferPointer<UInt8>, after start: Int) -> Int? {
    guard index >= 0 else { return nil }
    var offset = start
    var left = index
    while left > 0 {
        guard offset < text.count else { return nil }
        offset += 1
        while offset < text.count, text[offset] & 0xC0 == 0x80 { offset += 1 }
        left -= 1
    }
    return offset
}
