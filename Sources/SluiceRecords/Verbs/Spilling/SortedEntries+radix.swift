extension SortedEntries {
    /// Sorts by the bits alone, a byte at a time from the last, and keeps the order of entries with
    /// the same bits.
    ///
    /// This is the radix sort of Knuth, "The Art of Computer Programming", 5.2.5: each byte that
    /// differs anywhere costs one copy of all entries, however many there are, where comparing
    /// costs a step more for each doubling. Needs as much memory again while it runs.
    ///
    /// Unsafe memory: counts are places in the order, of which there are as many as entries.
    static func sortByBits(_ entries: inout [Entry]) {
        guard entries.count >= 256 else { return entries.sort { $0.bits < $1.bits } }
        var from = exchange(&entries, with: [])
        var to = from
        withUnsafeTemporaryAllocation(of: Int.self, capacity: 8 << 8) { counts in
            counts.initialize(repeating: 0)
            for entry in from {
                for byte in 0..<8 { counts[byte << 8 | entry.digit(byte)] += 1 }
            }
            for byte in 0..<8 {
                // All have the same.
                guard counts[byte << 8 | from[0].digit(byte)] < from.count else { continue }
                var next = 0
                for digit in byte << 8..<(byte + 1) << 8 { (counts[digit], next) = (next, next + counts[digit]) }
                to.withUnsafeMutableBufferPointer { to in
                    for entry in from {
                        let digit = byte << 8 | entry.digit(byte)
                        to[counts[digit]] = entry
                        counts[digit] += 1
                    }
                }
                swap(&from, &to)
            }
        }
        entries = from
    }
}

extension SortedEntries.Entry {
    /// - Parameter byte: 0 for the last.
    @inline(__always)
    fileprivate func digit(_ byte: Int) -> Int { Int(truncatingIfNeeded: bits >> UInt64(byte << 3) & 0xff) }
}
