import SluiceCEL

/// Encodes a key as it was first seen, for cases where its ``GroupKey`` does not tell: `1.0` is the
/// same key as `1`.
///
/// The cells are concatenated, each as its kind and its contents. Lists and maps are JSON text.
enum WrittenKey {
    static func append(_ cell: Cell, to buffer: ByteBuffer, _ scratch: Scratch) { append(plain(cell, scratch), to: buffer) }

    /// The cell; if it is boxed, a text cell with the value's text, which is JSON for lists and
    /// maps.
    @inline(__always)
    static func plain(_ cell: Cell, _ scratch: Scratch) -> Cell { cell.kind == .boxed ? unboxed(cell, scratch) : cell }

    @inline(never)
    private static func unboxed(_ cell: Cell, _ scratch: Scratch) -> Cell {
        let value = scratch.boxedValue(cell)
        switch value {
        case .list, .map:
            let text = ByteBuffer(capacity: 256)
            JSONText.write(value, to: text)
            return text.withFilled { scratch.text(.json, copying: $0) }
        case .ip(let address): return scratch.text(copying: address.description)
        case .cidr(let network): return scratch.text(copying: network.description)
        default: return scratch.text(copying: value.type.name)
        }
    }

    /// - Parameter cell: must not be boxed.
    static func append(_ cell: Cell, to buffer: ByteBuffer) {
        buffer.reserve(13)
        let place = UnsafeMutableRawPointer(buffer.start + buffer.count)
        place.storeBytes(of: cell.kind.rawValue, as: UInt8.self)
        place.storeBytes(of: cell.count.littleEndian, toByteOffset: 1, as: UInt32.self)
        place.storeBytes(of: cell.isText ? 0 : cell.payload.littleEndian, toByteOffset: 5, as: UInt64.self)
        buffer.count += 13
        if cell.isText { buffer.append(cell.textBytes) }
    }

    /// Decodes `count` cells, which point into the text.
    ///
    /// - Returns: `nil` if the text is not exactly that many valid cells.
    static func cells(_ count: Int, in text: UnsafeBufferPointer<UInt8>) -> [Cell]? {
        let bytes = UnsafeRawBufferPointer(text)
        var cells: [Cell] = []
        var place = 0
        for _ in 0..<count {
            guard bytes.count - place >= 13, let kind = Cell.Kind(rawValue: bytes[place]), let base = text.baseAddress else { return nil }
            let length = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: place + 1, as: UInt32.self))
            let payload = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: place + 5, as: UInt64.self))
            place += 13
            var cell = Cell(kind: kind, payload: payload, count: length)
            if cell.isText {
                guard bytes.count - place >= Int(length) else { return nil }
                cell = .text(kind, base + place, count: Int(length))
                place += Int(length)
            }
            guard isValid(cell) else { return nil }
            cells.append(cell)
        }
        return place == bytes.count ? cells : nil
    }

    private static func isValid(_ cell: Cell) -> Bool {
        switch cell.kind {
        case .absent, .null, .bool, .int, .uint, .double, .bytes: true
        case .string: UTF8Text.isValid(cell.textBytes)
        case .timestamp: Timestamp(seconds: cell.intValue, nanoseconds: Int32(bitPattern: cell.count)) != nil
        case .duration: Int32(bitPattern: cell.count).magnitude < 1_000_000_000
        case .decimal, .json: isJSON(cell)
        case .boxed, .error: false
        }
    }

    private static func isJSON(_ cell: Cell) -> Bool {
        guard let start = cell.textBytes.baseAddress, cell.count > 0 else { return false }
        let isNumber = start.pointee == UInt8(ascii: "-") || (0x30...0x39).contains(start.pointee)
        guard isNumber == (cell.kind == .decimal), isNumber || start.pointee | 0x20 == UInt8(ascii: "{") else { return false }
        let end = start + Int(cell.count)
        do throws(JSONFault) {
            return try JSONScan.value(start, end, level: 1) == end
        } catch {
            return false
        }
    }
}
