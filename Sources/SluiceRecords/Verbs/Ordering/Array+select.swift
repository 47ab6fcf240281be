extension [UInt64] {
    /// The number at a rank, from 0, in ascending order.
    ///
    /// In each of at most six passes, what lies between the least and the greatest number is cut
    /// into 1,024 to 2,048 equal parts, and only the numbers of the part with the rank are looked
    /// at further: most often two passes, of which the second has few numbers.
    func select(_ rank: Int) -> UInt64 {
        precondition(indices.contains(rank), "there is no number of rank \(rank) among \(count)")
        var (numbers, rank) = (self, rank)
        while numbers.count > 64 {
            var (low, high) = (UInt64.max, UInt64.min)
            for number in numbers { (low, high) = (Swift.min(low, number), Swift.max(high, number)) }
            guard low < high else { return low }
            let shift = UInt64(Swift.max(0, 53 - (high - low).leadingZeroBitCount))
            numbers = withUnsafeTemporaryAllocation(of: Int.self, capacity: 1 << 11) { counts in
                counts.initialize(repeating: 0)
                for number in numbers { counts[Int(truncatingIfNeeded: (number &- low) &>> shift)] &+= 1 }
                var part = 0
                while rank >= counts[part] {
                    rank -= counts[part]
                    part += 1
                }
                return [UInt64](unsafeUninitializedCapacity: counts[part]) { kept, count in
                    for number in numbers where (number &- low) &>> shift == UInt64(part) {
                        kept[count] = number
                        count += 1
                    }
                }
            }
        }
        numbers.sort()
        return numbers[rank]
    }
}
