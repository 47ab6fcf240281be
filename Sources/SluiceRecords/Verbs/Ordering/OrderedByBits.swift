/// An element whose place in an order is a number.
protocol OrderedByBits: BitwiseCopyable {
    var bits: UInt64 { get }
}

extension UInt64: OrderedByBits {
    var bits: UInt64 { self }
}

extension Array where Element: OrderedByBits {
    /// Sorts by the bits alone, a byte at a time from the last, and keeps the order of elements
    /// with the same bits.
    ///
    /// This is the radix sort of Knuth, "The Art of Computer Programming", 5.2.5: each byte that
    /// differs anywhere costs one copy of all elements, however many there are, where comparing
    /// costs a step more for each doubling. Needs as much memory again while it runs.
    ///
    /// Unsafe memory: counts are places in the order, of which there are as many as elements.
    mutating func sortByBits() {
        guard count >= 256 else {
            self = enumerated().sorted { ($0.element.bits, $0.offset) < ($1.element.bits, $1.offset) }.map(\.element)
            return
        }
        var from = exchange(&self, with: [])
        var to = from
        withUnsafeTemporaryAllocation(of: Int.self, capacity: 8 << 8) { counts in
            counts.initialize(repeating: 0)
            for element in from {
                for byte in 0..<8 { counts[byte << 8 | element.digit(byte)] += 1 }
            }
            for byte in 0..<8 {
                // All have the same.
                guard counts[byte << 8 | from[0].digit(byte)] < from.count else { continue }
                var next = 0
                for digit in byte << 8..<(byte + 1) << 8 { (counts[digit], next) = (next, next + counts[digit]) }
                to.withUnsafeMutableBufferPointer { to in
                    for element in from {
                        let digit = byte << 8 | element.digit(byte)
                        to[counts[digit]] = element
                        counts[digit] += 1
                    }
                }
                swap(&from, &to)
            }
        }
        self = from
    }
}

extension OrderedByBits {
    /// - Parameter byte: 0 for the last.
    @inline(__always)
    fileprivate func digit(_ byte: Int) -> Int { Int(truncatingIfNeeded: bits >> UInt64(byte << 3) & 0xff) }
}
