import CBytes
import SluiceCEL

/// Encodes group keys as bytes: two keys have equal bytes exactly if they are equal in expressions.
///
/// The values are concatenated, each as a tag and its contents. Equal numbers have the same
/// encoding: as an int if possible, else as a uint, else as a double. Members of maps are ordered
/// by the bytes of their keys.
enum GroupKey {
    enum Tag: UInt8 {
        case absent, null, no, yes, int, uint, double, string, bytes, timestamp, duration
        // Values of these types have no cell kind of their own: see ``WrittenKey``.
        case list, map, optional, other
    }

    /// The nesting limit of records, plus some levels that expressions may add.
    private static let deepest = 1100

    /// Appends the value of a cell.
    ///
    /// - Returns: whether decoding gives the very same cell, not just an equal one.
    @inline(__always)
    static func append(_ cell: Cell, to buffer: ByteBuffer, _ scratch: Scratch) throws(EvaluationError) -> Bool {
        switch cell.kind {
        case .string: append(.string, cell.textBytes, to: buffer)
        case .int: append(.int, cell.payload, to: buffer)
        case .absent: buffer.append(Tag.absent.rawValue)
        default: return try appendRare(cell, to: buffer, scratch)
        }
        return true
    }

    @inline(never)
    private static func appendRare(_ cell: Cell, to buffer: ByteBuffer, _ scratch: Scratch) throws(EvaluationError) -> Bool {
        switch cell.kind {
        case .bytes: append(.bytes, cell.textBytes, to: buffer)
        case .double: return append(number: cell.doubleValue, to: buffer)
        default:
            let value = try scratch.value(of: cell)
            try append(value, to: buffer, level: 0)
            switch value {
            case .null, .bool, .timestamp, .duration: return true
            case .uint(let number): return number > UInt64(Int64.max)
            default: return false
            }
        }
        return true
    }

    private static func append(_ value: Value, to buffer: ByteBuffer, level: Int) throws(EvaluationError) {
        guard level < deepest else { throw EvaluationError(.invalidArgument, "a key is nested too deeply") }
        switch value {
        case .null: buffer.append(Tag.null.rawValue)
        case .bool(let value): buffer.append((value ? Tag.yes : Tag.no).rawValue)
        case .int(let value): append(.int, UInt64(bitPattern: value), to: buffer)
        case .uint(let value): append(value > UInt64(Int64.max) ? .uint : .int, value, to: buffer)
        case .double(let value): _ = append(number: value, to: buffer)
        case .decimal(let text): _ = append(number: Double(text) ?? .nan, to: buffer)
        case .string(var value): value.withUTF8 { append(.string, $0, to: buffer) }
        case .bytes(let value): value.withUnsafeBufferPointer { append(.bytes, $0, to: buffer) }
        case .timestamp(let value):
            append(.timestamp, UInt64(bitPattern: value.seconds), to: buffer)
            append(UInt32(value.nanoseconds), to: buffer)
        case .duration(let value):
            let (seconds, attoseconds) = value.components
            append(.duration, UInt64(bitPattern: seconds), to: buffer)
            append(UInt32(bitPattern: Int32(truncatingIfNeeded: attoseconds / 1_000_000_000)), to: buffer)
        case .list(let values):
            buffer.append(Tag.list.rawValue)
            append(UInt32(truncatingIfNeeded: values.count), to: buffer)
            for value in values { try append(value, to: buffer, level: level + 1) }
        case .map(let map): try append(map, to: buffer, level: level)
        case .optional(let value):
            buffer.append(Tag.optional.rawValue)
            if let value { try append(value, to: buffer, level: level + 1) } else { buffer.append(Tag.absent.rawValue) }
        case .type(let type): append(other: type.name, to: buffer)
        case .ip(let address): append(other: address.description, to: buffer)
        case .cidr(let network): append(other: network.description, to: buffer)
        }
    }

    private static func append(_ map: ValueMap, to buffer: ByteBuffer, level: Int) throws(EvaluationError) {
        var members: [(key: [UInt8], value: Value)] = []
        for entry in map.entries {
            let key = ByteBuffer(capacity: 64)
            try append(entry.key, to: key, level: level + 1)
            members.append((key.withFilled(Array.init), entry.value))
        }
        buffer.append(Tag.map.rawValue)
        append(UInt32(truncatingIfNeeded: members.count), to: buffer)
        for member in members.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            member.key.withUnsafeBufferPointer { buffer.append($0) }
            try append(member.value, to: buffer, level: level + 1)
        }
    }

    /// - Returns: whether the number is encoded as a double.
    private static func append(number: Double, to buffer: ByteBuffer) -> Bool {
        if let whole = Int64(exactly: number) {
            append(.int, UInt64(bitPattern: whole), to: buffer)
        } else if let whole = UInt64(exactly: number) {
            append(.uint, whole, to: buffer)
        } else {
            append(.double, (number.isNaN ? Double.nan : number).bitPattern, to: buffer)
            return true
        }
        return false
    }

    @inline(__always)
    private static func append(_ tag: Tag, _ payload: UInt64, to buffer: ByteBuffer) {
        buffer.reserve(9)
        let place = UnsafeMutableRawPointer(buffer.start + buffer.count)
        place.storeBytes(of: tag.rawValue, as: UInt8.self)
        place.storeBytes(of: payload.littleEndian, toByteOffset: 1, as: UInt64.self)
        buffer.count += 9
    }

    private static func append(_ number: UInt32, to buffer: ByteBuffer) {
        buffer.reserve(4)
        UnsafeMutableRawPointer(buffer.start + buffer.count).storeBytes(of: number.littleEndian, as: UInt32.self)
        buffer.count += 4
    }

    @inline(__always)
    private static func append(_ tag: Tag, _ text: UnsafeBufferPointer<UInt8>, to buffer: ByteBuffer) {
        buffer.reserve(5 + text.count)
        let place = UnsafeMutableRawPointer(buffer.start + buffer.count)
        place.storeBytes(of: tag.rawValue, as: UInt8.self)
        place.storeBytes(of: UInt32(truncatingIfNeeded: text.count).littleEndian, toByteOffset: 1, as: UInt32.self)
        if let start = text.baseAddress { cbytes_copy(buffer.start + buffer.count + 5, start, text.count) }
        buffer.count += 5 + text.count
    }

    private static func append(other text: String, to buffer: ByteBuffer) {
        var text = text
        text.withUTF8 { append(.other, $0, to: buffer) }
    }
}

/// Reads the values of a key one after the other. Invalid bytes end the key; nothing is read past
/// the end.
struct GroupKeyReader {
    private let text: UnsafeRawBufferPointer
    /// The offset of the next value.
    private(set) var place = 0

    init(_ key: UnsafeBufferPointer<UInt8>) {
        text = UnsafeRawBufferPointer(key)
    }

    var isAtEnd: Bool { place == text.count }

    /// Reads one value. Lists and maps are skipped and returned as a `boxed` cell.
    ///
    /// - Returns: `nil` if the bytes are not a valid value.
    mutating func next() -> (tag: GroupKey.Tag, cell: Cell)? { next(level: 0) }

    private mutating func next(level: Int) -> (tag: GroupKey.Tag, cell: Cell)? {
        guard level < 1101, place < text.count, let tag = GroupKey.Tag(rawValue: text[place]) else { return nil }
        place += 1
        switch tag {
        case .absent: return (tag, .absent)
        case .null: return (tag, .null)
        case .no, .yes: return (tag, .bool(tag == .yes))
        case .int: return payload().map { (tag, .int(Int64(bitPattern: $0))) }
        case .uint: return payload().flatMap { $0 > UInt64(Int64.max) ? (tag, .uint($0)) : nil }
        case .double: return payload().map { (tag, .double(Double(bitPattern: $0))) }
        case .string: return string().flatMap { UTF8Text.isValid($0.textBytes) ? (tag, $0) : nil }
        case .bytes: return string().map { (tag, Cell(kind: .bytes, payload: $0.payload, count: $0.count)) }
        case .timestamp, .duration: return time(tag)
        case .list: return composite(tag, 1, level)
        case .map: return composite(tag, 2, level)
        case .optional: return next(level: level + 1).map { _ in (tag, Cell(kind: .boxed)) }
        case .other: return string().map { _ in (tag, Cell(kind: .boxed)) }
        }
    }

    private mutating func payload() -> UInt64? {
        guard text.count - place >= 8 else { return nil }
        defer { place += 8 }
        return UInt64(littleEndian: text.loadUnaligned(fromByteOffset: place, as: UInt64.self))
    }

    private mutating func count() -> UInt32? {
        guard text.count - place >= 4 else { return nil }
        defer { place += 4 }
        return UInt32(littleEndian: text.loadUnaligned(fromByteOffset: place, as: UInt32.self))
    }

    private mutating func string() -> Cell? {
        guard let count = count(), Int(count) <= text.count - place, let base = text.baseAddress else { return nil }
        defer { place += Int(count) }
        return .text(.string, (base + place).assumingMemoryBound(to: UInt8.self), count: Int(count))
    }

    private mutating func time(_ tag: GroupKey.Tag) -> (tag: GroupKey.Tag, cell: Cell)? {
        guard let seconds = payload(), let nanoseconds = count() else { return nil }
        let cell = Cell(kind: tag == .timestamp ? .timestamp : .duration, payload: seconds, count: nanoseconds)
        if tag == .timestamp, Timestamp(seconds: cell.intValue, nanoseconds: Int32(bitPattern: nanoseconds)) == nil { return nil }
        if tag == .duration, Int32(bitPattern: nanoseconds).magnitude >= 1_000_000_000 { return nil }
        return (tag, cell)
    }

    private mutating func composite(_ tag: GroupKey.Tag, _ each: Int, _ level: Int) -> (tag: GroupKey.Tag, cell: Cell)? {
        guard let count = count(), Int(count) <= text.count - place else { return nil }
        for _ in 0..<Int(count) * each where next(level: level + 1) == nil { return nil }
        return (tag, Cell(kind: .boxed))
    }
}
