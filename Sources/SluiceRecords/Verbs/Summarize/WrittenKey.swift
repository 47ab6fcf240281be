import SluiceCEL

/// A key as it was first seen, where its bytes as a ``GroupKey`` do not tell: `1.0` is the key `1`.
///
/// The cells one after the other: kind, and what belongs to it. Lists and maps are JSON text.
enum WrittenKey {
    private static func isText(_ kind: Cell.Kind) -> Bool {
        switch kind {
        case .string, .bytes, .decimal, .json: true
        default: false
        }
    }

    static func append(_ cell: Cell, to buffer: ByteBuffer, _ scratch: Scratch) {
        guard cell.kind == .boxed else { return append(cell, to: buffer) }
        let value = scratch.boxedValue(cell)
        let text = ByteBuffer(capacity: 256)
        switch value {
        case .list, .map:
            JSONText.write(value, to: text)
            append(.text(.json, UnsafePointer(text.start), count: text.count), to: buffer)
        case .ip(let address): append(address.description, to: buffer)
        case .cidr(let network): append(network.description, to: buffer)
        default: append(value.type.name, to: buffer)
        }
        withExtendedLifetime(text) {}
    }

    private static func append(_ text: String, to buffer: ByteBuffer) {
        var text = text
        text.withUTF8 { text in
            if let start = text.baseAddress { append(.text(.string, start, count: text.count), to: buffer) }
        }
    }

    private static func append(_ cell: Cell, to buffer: ByteBuffer) {
        buffer.reserve(13)
        let place = UnsafeMutableRawPointer(buffer.start + buffer.count)
        place.storeBytes(of: cell.kind.rawValue, as: UInt8.self)
        place.storeBytes(of: cell.count.littleEndian, toByteOffset: 1, as: UInt32.self)
        place.storeBytes(of: isText(cell.kind) ? 0 : cell.payload.littleEndian, toByteOffset: 5, as: UInt64.self)
        buffer.count += 13
        if isText(cell.kind) { buffer.append(cell.textBytes) }
    }

    /// The cells, over the text's own bytes.
    ///
    /// - Returns: nil where these are not so many cells, each valid.
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
            if isText(kind) {
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
