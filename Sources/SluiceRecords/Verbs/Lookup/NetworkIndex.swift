import SluiceCEL

/// Finds the longest of many networks that contains an address.
///
/// The address space is cut into ranges, each with the longest network that covers it, so that a
/// lookup is one binary search, among the ranges that begin with the same 16 bits as the address:
/// two steps for 100,000 networks that are spread over all of IPv4.
struct NetworkIndex: Sendable {
    /// A range of addresses. An IPv4-mapped network is stored as the IPv4 network.
    struct Network: Hashable {
        let isV4: Bool
        let first: UInt128
        let last: UInt128

        /// Parses a network (`10.0.0.0/8`) or an address.
        init?(_ text: String) {
            let network: IPNetwork
            if let address = IPAddress(text) {
                guard let whole = IPNetwork(address: address, prefixLength: address.width) else { return nil }
                network = whole.masked
            } else {
                guard let named = IPNetwork(text) else { return nil }
                network = named.masked
            }
            let host = network.address.width - network.prefixLength
            let isMapped = !network.address.isV4 && host <= 32 && network.address.bits >> 32 == 0xFFFF
            isV4 = network.address.isV4 || isMapped
            let first = isMapped ? network.address.bits & 0xFFFF_FFFF : network.address.bits
            self.first = first
            last = first | (host == 128 ? .max : UInt128(1) << UInt128(host) - 1)
        }
    }

    struct Entry {
        let network: Network
        let row: Int32

        init(_ network: Network, row: Int32) {
            self.network = network
            self.row = row
        }
    }

    private struct Ranges<Address: FixedWidthInteger & Sendable>: Sendable {
        private struct Range: Sendable {
            var start: Address
            /// -1 for none.
            var row: Int32
        }

        private var ranges: [Range] = []
        /// For each value of the first 16 bits, the number of ranges that begin with lower ones.
        private var places: [Int32] = []

        init(_ entries: [Entry]) {
            var around: [Entry] = []
            let sorted = entries.sorted { left, right in
                left.network.first != right.network.first ? left.network.first < right.network.first : left.network.last > right.network.last
            }
            for entry in sorted {
                while let inner = around.last, inner.network.last < entry.network.first {
                    around.removeLast()
                    begin(at: inner.network.last + 1, around.last)
                }
                begin(at: entry.network.first, entry)
                around.append(entry)
            }
            while let inner = around.popLast() {
                if inner.network.last < UInt128(Address.max) { begin(at: inner.network.last + 1, around.last) }
            }
            var place = 0
            for bits in 0...1 << 16 {
                while place < ranges.count, Self.firstBits(ranges[place].start) < bits { place += 1 }
                places.append(Int32(place))
            }
        }

        private static func firstBits(_ address: Address) -> Int { Int(truncatingIfNeeded: address >> Address(Address.bitWidth - 16)) }

        private mutating func begin(at start: UInt128, _ entry: Entry?) {
            let start = Address(truncatingIfNeeded: start)
            let range = Range(start: start, row: entry?.row ?? -1)
            if ranges.last?.start == start { ranges[ranges.count - 1] = range } else { ranges.append(range) }
        }

        @inline(__always)
        func find(_ address: Address) -> Int? {
            let bits = Self.firstBits(address)
            var (low, high) = (Int(places[bits]), Int(places[bits + 1]))
            while low < high {
                let middle = (low + high) / 2
                if ranges[middle].start <= address { low = middle + 1 } else { high = middle }
            }
            return low > 0 && ranges[low - 1].row >= 0 ? Int(ranges[low - 1].row) : nil
        }
    }

    private let v4: Ranges<UInt32>
    private let v6: Ranges<UInt128>

    init(_ entries: [Entry]) {
        v4 = Ranges(entries.filter { $0.network.isV4 })
        v6 = Ranges(entries.filter { !$0.network.isV4 })
    }

    /// - Parameter key: text or an address; any other value is in no network.
    func find(_ key: Cell, _ scratch: Scratch) -> Int? {
        switch key.kind {
        case .string:
            if let address = Self.v4(key.textBytes) { return v4.find(address) }
            return IPAddress(String(decoding: key.textBytes, as: UTF8.self)).flatMap { find($0) }
        case .boxed:
            guard case .ip(let address) = scratch.boxedValue(key) else { return nil }
            return find(address)
        default: return nil
        }
    }

    func find(_ address: IPAddress) -> Int? {
        let address = address.unmapped
        return address.isV4 ? v4.find(UInt32(truncatingIfNeeded: address.bits)) : v6.find(address.bits)
    }

    /// Parses four numbers without leading zeros.
    static func v4(_ text: UnsafeBufferPointer<UInt8>) -> UInt32? {
        guard (7...15).contains(text.count) else { return nil }
        var (bits, number, digits, dots): (UInt32, UInt32, Int, Int) = (0, 0, 0, 0)
        for byte in text {
            if byte == UInt8(ascii: ".") {
                guard digits > 0, dots < 3 else { return nil }
                bits = bits << 8 | number
                (number, digits, dots) = (0, 0, dots + 1)
            } else {
                guard byte >= 0x30, byte <= 0x39, digits == 0 || number > 0 else { return nil }
                number = number * 10 + UInt32(byte - 0x30)
                digits += 1
                guard number < 256 else { return nil }
            }
        }
        return digits > 0 && dots == 3 ? bits << 8 | number : nil
    }
}
