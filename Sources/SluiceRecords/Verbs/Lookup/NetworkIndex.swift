import CBytes
import SluiceCEL

/// Finds the longest of many networks that contains an address.
///
/// The address space is cut into ranges, each with the longest network that covers it, so that a
/// lookup is one binary search, among the ranges that begin with the same 16 bits as the address:
/// two steps for 100,000 networks that are spread over all of IPv4.
struct NetworkIndex: Sendable {
    /// A range of addresses. An IPv4-mapped network is stored as the IPv4 network.
    struct Network: Equatable {
        let isV4: Bool
        let first: UInt128
        let last: UInt128

        /// Reads a network (`10.0.0.0/8`) or an address.
        init?(_ text: UnsafeBufferPointer<UInt8>) {
            let network: IPNetwork
            if let named = IPNetwork(utf8: text) {
                network = named.masked
            } else {
                guard let address = IPAddress(utf8: text), let whole = IPNetwork(address: address, prefixLength: address.width) else { return nil }
                network = whole.masked
            }
            let host = network.address.width - network.prefixLength
            let isMapped = !network.address.isV4 && host <= 32 && network.address.bits >> 32 == 0xFFFF
            isV4 = network.address.isV4 || isMapped
            let first = isMapped ? network.address.bits & 0xFFFF_FFFF : network.address.bits
            self.first = first
            last = first | (host == 128 ? .max : UInt128(1) << UInt128(host) - 1)
        }
    }

    /// The networks of a table.
    struct Entries {
        fileprivate var v4: [Entry<UInt32>] = []
        fileprivate var v6: [Entry<UInt128>] = []

        mutating func append(_ network: Network, row: Int32) {
            if network.isV4 {
                v4.append(Entry(first: UInt32(truncatingIfNeeded: network.first), last: UInt32(truncatingIfNeeded: network.last), row: row))
            } else {
                v6.append(Entry(first: network.first, last: network.last, row: row))
            }
        }
    }

    private struct Ranges<Address: FixedWidthInteger & BitwiseCopyable & Sendable>: Sendable {
        private struct Range: Sendable {
            var start: Address
            /// -1 for none.
            var row: Int32
        }

        private var ranges: [Range] = []
        /// For each value of the first 16 bits, the number of ranges that begin with lower ones.
        private var places: [Int32] = []

        /// - Parameter entries: sorted, each network after those that contain it.
        init(_ entries: [Entry<Address>]) {
            var around: [Entry<Address>] = []
            ranges.reserveCapacity(2 * entries.count)
            for entry in entries {
                while let inner = around.last, inner.last < entry.first {
                    around.removeLast()
                    begin(at: inner.last + 1, around.last)
                }
                begin(at: entry.first, entry)
                around.append(entry)
            }
            while let inner = around.popLast() {
                if inner.last < .max { begin(at: inner.last + 1, around.last) }
            }
            places.reserveCapacity(1 << 16 + 1)
            var place = 0
            for bits in 0...1 << 16 {
                while place < ranges.count, Self.firstBits(ranges[place].start) < bits { place += 1 }
                places.append(Int32(place))
            }
        }

        private static func firstBits(_ address: Address) -> Int { Int(truncatingIfNeeded: address >> Address(Address.bitWidth - 16)) }

        private mutating func begin(at start: Address, _ entry: Entry<Address>?) {
            let range = Range(start: start, row: entry?.row ?? -1)
            if ranges.last?.start == start { ranges[ranges.count - 1] = range } else { ranges.append(range) }
        }

        @inline(__always)
        func find(_ address: Address) -> Int? {
            let row = ranges.withUnsafeBufferPointer { ranges in places.withUnsafeBufferPointer { Self.find(address, ranges, $0) } }
            return row >= 0 ? Int(row) : nil
        }

        /// Finds several addresses at once, so that they wait for memory together.
        ///
        /// - Parameter rows: room for as many rows; -1 stands for none.
        func find(_ addresses: UnsafeBufferPointer<Address>, into rows: UnsafeMutablePointer<Int32>) {
            ranges.withUnsafeBufferPointer { ranges in
                places.withUnsafeBufferPointer { places in
                    guard let first = ranges.baseAddress else { return rows.update(repeating: -1, count: addresses.count) }
                    for address in addresses {
                        let place = UnsafeRawPointer(first + Int(places[Self.firstBits(address)]))
                        cbytes_prefetch(place.assumingMemoryBound(to: UInt8.self))
                    }
                    for (index, address) in addresses.enumerated() { rows[index] = Self.find(address, ranges, places) }
                }
            }
        }

        @inline(__always)
        private static func find(_ address: Address, _ ranges: UnsafeBufferPointer<Range>, _ places: UnsafeBufferPointer<Int32>) -> Int32 {
            let bits = firstBits(address)
            var low = Int(places[bits])
            var count = Int(places[bits + 1]) &- low
            // A mispredicted branch would cost more than all else, so which half it is decides
            // none.
            while count > 0 {
                let half = (count &+ 1) &>> 1
                low &+= ranges[low &+ half &- 1].start <= address ? half : 0
                count &-= half
            }
            return low > 0 ? ranges[low - 1].row : -1
        }
    }

    private let v4: Ranges<UInt32>
    private let v6: Ranges<UInt128>

    /// The first row whose network an earlier one has, and that one; `nil` if all differ.
    let repetition: (earlier: Int32, later: Int32)?

    init(_ entries: Entries) {
        var entries = entries
        entries.v4.sortByBits()
        entries.v6.sort { ($0.first, $1.last, $0.row) < ($1.first, $0.last, $1.row) }
        v4 = Ranges(entries.v4)
        v6 = Ranges(entries.v6)
        repetition = (Self.repetitions(entries.v4) + Self.repetitions(entries.v6)).min { $0.later < $1.later }
    }

    private static func repetitions<Address>(_ sorted: [Entry<Address>]) -> [(earlier: Int32, later: Int32)] {
        zip(sorted, sorted.dropFirst()).filter { ($0.first, $0.last) == ($1.first, $1.last) }.map { (min($0.row, $1.row), max($0.row, $1.row)) }
    }

    /// Finds several IPv4 addresses at once, so that they wait for memory together.
    ///
    /// - Parameter rows: room for as many rows; -1 stands for none.
    func find(_ addresses: UnsafeBufferPointer<UInt32>, into rows: UnsafeMutablePointer<Int32>) { v4.find(addresses, into: rows) }

    /// - Parameter key: text or an address; any other value is in no network.
    func find(_ key: Cell, _ scratch: Scratch) -> Int? {
        switch key.kind {
        case .string:
            if let address = IPAddress.v4(key.textBytes) { return v4.find(address) }
            return IPAddress(utf8: key.textBytes).flatMap { find($0) }
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
}

/// A network as a range of addresses, with its row in the table.
private struct Entry<Address: FixedWidthInteger & BitwiseCopyable> {
    let first: Address
    let last: Address
    let row: Int32
}

extension Entry: BitwiseCopyable {}

/// Each network after those that contain it.
extension Entry: OrderedByBits where Address == UInt32 {
    var bits: UInt64 { UInt64(first) << 32 | UInt64(~last) }
}
