/// A map of the language: keys are `bool`, `int`, `uint` or `string`, in insertion order; `1`, `1u`
/// and `1.0` are one key.
public struct ValueMap: Sendable {
    public struct Entry: Sendable {
        public let key: Value
        public var value: Value
    }

    public private(set) var entries: [Entry]
    /// The index of each key; empty while the map is small enough for a linear search.
    private var places: [MapKey: Int]

    private static let searched = 8

    public init() {
        entries = []
        places = [:]
    }

    public var count: Int { entries.count }
    public var isEmpty: Bool { entries.isEmpty }

    /// The value of a key; nil if there is none or the value cannot be a key at all.
    public subscript(key: Value) -> Value? {
        guard let key = MapKey(key) else { return nil }
        return place(of: key).map { entries[$0].value }
    }

    public subscript(key: String) -> Value? {
        place(of: .text(Name(key))).map { entries[$0].value }
    }

    /// Adds an entry, or replaces the value of an equal key.
    ///
    /// - Returns: false, leaving the map unchanged, if the value cannot be a key.
    @discardableResult
    public mutating func set(_ key: Value, to value: Value) -> Bool {
        guard let mapKey = MapKey(key), !key.isDouble else { return false }
        if let place = place(of: mapKey) {
            entries[place].value = value
            return true
        }
        append(Entry(key: key, value: value), at: mapKey)
        return true
    }

    public mutating func set(_ key: String, to value: Value) { set(.string(key), to: value) }

    /// Adds an entry as a map literal does: a key that already exists, or cannot be a key, is an
    /// error.
    mutating func insert(_ key: Value, _ value: Value) throws(EvaluationError) {
        guard let mapKey = MapKey(key), !key.isDouble else {
            throw EvaluationError(.type, "a map key cannot be of type \(key.type)")
        }
        guard place(of: mapKey) == nil else { throw .invalid("duplicate key \(key) in the map") }
        append(Entry(key: key, value: value), at: mapKey)
    }

    private mutating func append(_ entry: Entry, at key: MapKey) {
        entries.append(entry)
        if entries.count == ValueMap.searched + 1 {
            for (place, entry) in entries.enumerated() {
                if let key = MapKey(entry.key) { places[key] = place }
            }
        } else if entries.count > ValueMap.searched {
            places[key] = entries.count - 1
        }
    }

    private func place(of key: MapKey) -> Int? {
        if entries.count > ValueMap.searched { return places[key] }
        return entries.firstIndex { MapKey($0.key) == key }
    }
}

extension ValueMap: ExpressibleByDictionaryLiteral {
    public init(dictionaryLiteral elements: (String, Value)...) {
        self.init()
        for (key, value) in elements { set(key, to: value) }
    }
}

/// A key with numbers normalised: equal keys of any type are the same.
enum MapKey: Hashable {
    case bool(Bool)
    case int(Int64)
    /// Above the largest `int`.
    case large(UInt64)
    case text(Name)

    init?(_ value: Value) {
        switch value {
        case .bool(let value): self = .bool(value)
        case .int(let value): self = .int(value)
        case .uint(let value): self = Int64(exactly: value).map(MapKey.int) ?? .large(value)
        case .double(let value):
            if let value = Int64(exactly: value) {
                self = .int(value)
            } else if let value = UInt64(exactly: value) {
                self = .large(value)
            } else {
                return nil
            }
        case .decimal: self.init(value.computed)
        case .string(let value): self = .text(Name(value))
        default: return nil
        }
    }
}

extension Value {
    var isDouble: Bool {
        switch self {
        case .double, .decimal: true
        default: false
        }
    }
}
