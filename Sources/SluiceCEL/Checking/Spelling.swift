/// Finds the name that was probably meant.
public enum Spelling {
    /// The candidate with the fewest edits to `name`, at most a third of its length; nil if none is
    /// that close. A name of three letters or more and one that it is a prefix of (`latency`,
    /// `latency_ms`) count as at most two edits apart.
    public static func nearest(to name: String, among candidates: some Sequence<String>) -> String? {
        let wanted = Array(name.unicodeScalars.prefix(64))
        // Any letter is one edit away from any other.
        let limit = wanted.count > 1 ? max(1, wanted.count / 3) : 0
        var best: (name: String, distance: Int)?
        for candidate in candidates where !candidate.isSame(as: name) {
            var distance = distance(wanted, Array(candidate.unicodeScalars.prefix(64)))
            let isContinued = isContinued(name, candidate)
            if isContinued { distance = min(distance, 2) }
            guard isContinued || distance <= limit else { continue }
            if let best, (best.distance, Name(best.name)) <= (distance, Name(candidate)) { continue }
            best = (candidate, distance)
        }
        return best?.name
    }

    private static func isContinued(_ name: String, _ other: String) -> Bool {
        min(name.utf8.count, other.utf8.count) >= 3 && (Text.hasPrefix(name, other) || Text.hasPrefix(other, name))
    }

    /// Letters inserted, deleted, changed, or swapped with their neighbour (optimal string
    /// alignment); case is ignored.
    private static func distance(_ left: [Unicode.Scalar], _ right: [Unicode.Scalar]) -> Int {
        let left = left.map(\.properties.lowercaseMapping)
        let right = right.map(\.properties.lowercaseMapping)
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for row in 0..<left.count {
            var current = [row + 1]
            for column in 0..<right.count {
                let change = left[row] == right[column] ? 0 : 1
                var cost = min(last[column + 1] + 1, current[column] + 1, last[column] + change)
                if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
                    cost = min(cost, beforeLast[column - 1] + 1)
                }
                current.append(cost)
            }
            beforeLast = last
            last = current
        }
        return last[right.count]
    }
}
