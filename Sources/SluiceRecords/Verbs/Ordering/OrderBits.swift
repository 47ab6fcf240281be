import CBytes

/// The bits in which keys differ, so that most of their order is known from one number for each.
///
/// Bits that are the same in all keys don't affect their order, so a number is made of the others,
/// from the first on: for each byte in which keys differ, its bits from the highest that differs.
/// Keys like `2026-03-01T12:34:56.789` differ in four bits of each digit and in nothing else, so
/// that 64 bits hold them whole, where their first eight bytes would be the same.
///
/// Unsafe memory: 64 bytes are loaded from the first byte of each key, whatever its length; the
/// padding of a ``ByteBuffer`` covers them.
struct OrderBits: ~Copyable {
    typealias Key = UnsafeBufferPointer<UInt8>

    /// The bits that a byte contributes.
    struct Place {
        var index: Int
        /// The number of low bits.
        var width: Int
    }

    /// The number of bytes that are looked at.
    private static let most = 64

    private let first: Key
    /// For each byte, the bits in which any key differs from the first.
    private let differences: UnsafeMutablePointer<UInt8>
    /// The number of bytes that all keys have.
    private var least = most

    /// - Parameter first: one of the keys, which must stay in memory.
    init(of first: Key) {
        self.first = first
        least = min(first.count, Self.most)
        differences = .allocate(capacity: Self.most)
        differences.initialize(repeating: 0, count: Self.most)
    }

    deinit {
        differences.deallocate()
    }

    mutating func add(_ key: Key) {
        least = min(least, key.count)
        guard let bytes = key.baseAddress, let first = first.baseAddress else { return }
        cbytes_add_differences64(differences, bytes, first)
    }

    /// The bytes that contribute, most significant first.
    ///
    /// Beyond the shortest key, a byte that is missing and one that is 0 would be the same, so
    /// nothing contributes there.
    var places: [Place] {
        var places: [Place] = []
        var width = 0
        for index in 0..<least where differences[index] != 0 {
            let place = Place(index: index, width: 8 - differences[index].leadingZeroBitCount)
            guard width + place.width <= 64 else { break }
            width += place.width
            places.append(place)
        }
        return places
    }

    /// A number with the order of the keys, as far as it goes: a lower number is a lower key; keys
    /// with the same number have to be compared.
    ///
    /// - Parameter places: of keys among which this one is.
    @inline(__always)
    static func number(of key: Key, _ places: [Place]) -> UInt64 {
        var number: UInt64 = 0
        for place in places { number = number << UInt64(place.width) | UInt64(key[place.index]) & (1 << UInt64(place.width) - 1) }
        return number
    }
}
