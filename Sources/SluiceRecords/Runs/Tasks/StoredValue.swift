import SluiceCEL

// Values that no cell holds, of stored records: lists and maps that were computed, and addresses.
// Nothing of them is lost, not even the types of the elements.

private enum Kind: UInt64 {
    case null, bool, int, uint, double, decimal, string, bytes, list, map, timestamp, duration, ip, cidr
}

extension StateWriter {
    mutating func write(_ value: Value) {
        switch value {
        case .null: write(kind: .null)
        case .bool(let value):
            write(kind: .bool)
            write(value ? 1 : 0)
        case .int(let value):
            write(kind: .int)
            write(UInt64(bitPattern: value))
        case .uint(let value):
            write(kind: .uint)
            write(value)
        case .double(let value):
            write(kind: .double)
            write(value.bitPattern)
        case .decimal(let text): write(.decimal, text)
        case .string(let text): write(.string, text)
        case .bytes(let bytes):
            write(kind: .bytes)
            bytes.withUnsafeBufferPointer { write($0) }
        case .list(let elements):
            write(kind: .list)
            write(all: elements) { $0.write($1) }
        case .map(let map):
            write(kind: .map)
            write(all: map.entries) { writer, entry in
                writer.write(entry.key)
                writer.write(entry.value)
            }
        case .timestamp(let time):
            write(kind: .timestamp)
            write(UInt64(bitPattern: time.seconds))
            write(UInt64(UInt32(bitPattern: Int32(time.nanoseconds))))
        case .duration(let duration):
            write(kind: .duration)
            write(UInt64(bitPattern: duration.components.seconds))
            write(UInt64(bitPattern: duration.components.attoseconds))
        case .ip(let address): write(.ip, address.description)
        case .cidr(let network): write(.cidr, network.description)
        // Fields cannot be these.
        case .type, .optional: write(.string, value.type.name)
        }
    }

    private mutating func write(kind: Kind) { write(kind.rawValue) }

    private mutating func write(_ kind: Kind, _ text: String) {
        write(kind: kind)
        write(text)
    }
}

extension StateReader {
    /// The depth of lists and maps that can be read; JSON has a lower limit.
    private static let deepest = 1000

    mutating func value(level: Int = 0) throws(CheckpointError) -> Value {
        guard level < Self.deepest, let kind = Kind(rawValue: try number()) else { throw CheckpointError("an unknown value") }
        switch kind {
        case .null: return .null
        case .bool: return .bool(try number() == 1)
        case .int: return .int(Int64(bitPattern: try number()))
        case .uint: return .uint(try number())
        case .double: return .double(Double(bitPattern: try number()))
        case .decimal: return .decimal(try string())
        case .string: return .string(try string())
        case .bytes: return .bytes(Array(try text()))
        case .list: return .list(try all { (reader) throws(CheckpointError) in try reader.value(level: level + 1) })
        case .map: return .map(try map(level: level + 1))
        case .timestamp:
            let (seconds, nanoseconds) = (Int64(bitPattern: try number()), Int32(bitPattern: UInt32(truncatingIfNeeded: try number())))
            guard let time = Timestamp(seconds: seconds, nanoseconds: nanoseconds) else { throw CheckpointError("an impossible time") }
            return .timestamp(time)
        case .duration:
            let (seconds, attoseconds) = (Int64(bitPattern: try number()), Int64(bitPattern: try number()))
            return .duration(Duration(secondsComponent: seconds, attosecondsComponent: attoseconds))
        case .ip:
            guard let address = IPAddress(try string()) else { throw CheckpointError("an invalid address") }
            return .ip(address)
        case .cidr:
            guard let network = IPNetwork(try string()) else { throw CheckpointError("an invalid network") }
            return .cidr(network)
        }
    }

    private mutating func map(level: Int) throws(CheckpointError) -> ValueMap {
        var map = ValueMap()
        for (key, value) in try all({ (reader) throws(CheckpointError) in (try reader.value(level: level), try reader.value(level: level)) }) {
            guard map.set(key, to: value) else { throw CheckpointError("an impossible key") }
        }
        return map
    }
}
