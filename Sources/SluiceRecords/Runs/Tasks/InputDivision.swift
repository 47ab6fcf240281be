/// Divides inputs among tasks: each task gets a range of them, so that the results of all tasks,
/// one after the other, are those of a single run.
package enum InputDivision {
    /// Divides inputs of these sizes into `count` ranges whose largest is as small as it can be.
    ///
    /// - Returns: ranges that follow one another; some are empty if the inputs are too few, or one
    ///   of them is too large.
    /// - Complexity: O(n log s) for n inputs with s bytes in all.
    package static func ranges(_ sizes: [UInt64], into count: Int) -> [Range<Int>] {
        precondition(count > 0, "inputs are divided among at least one task")
        // An empty file costs time, too.
        let costs = sizes.map { max($0, 1) }
        var (low, high) = (costs.max() ?? 0, costs.reduce(0, +))
        while low < high {
            let middle = low + (high - low) / 2
            if needed(costs, most: middle) <= count { high = middle } else { low = middle + 1 }
        }
        var ranges: [Range<Int>] = []
        var (start, sum) = (0, UInt64(0))
        for (index, cost) in costs.enumerated() {
            if sum + cost > high {
                ranges.append(start..<index)
                (start, sum) = (index, 0)
            }
            sum += cost
        }
        ranges.append(start..<costs.count)
        while ranges.count < count { ranges.append(costs.count..<costs.count) }
        return ranges
    }

    /// The number of ranges of at most that cost.
    private static func needed(_ costs: [UInt64], most: UInt64) -> Int {
        var (count, sum) = (1, UInt64(0))
        for cost in costs {
            if sum + cost > most { (count, sum) = (count + 1, 0) }
            sum += cost
        }
        return count
    }
}
