/// A line of a comparison.
package struct DiffLine: Sendable, Equatable {
    package enum Kind: Sendable {
        case same
        /// Expected but absent.
        case missing
        /// Present but not expected.
        case surplus
        /// A remark on the two lines before.
        case note
    }

    package var kind: Kind
    package var text: String
}

/// Compares expected with actual records.
enum Diff {
    /// The maximum number of record comparisons. Beyond it, only common prefixes and suffixes are
    /// matched.
    private static let limit = 1_000_000

    /// - Parameter note: returns a remark on a missing and a surplus record at the same position.
    static func lines<Expected, Met>(
        expected: [Expected], met: [Met], matches: (Expected, Met) -> Bool, shown: (Expected) -> String, _ metShown: (Met) -> String,
        _ note: (Expected, Met) -> String? = { _, _ in nil }
    ) -> [DiffLine] {
        let (start, end) = common(expected, met, matches)
        let middle = (expected[start..<(expected.count - end)], met[start..<(met.count - end)])
        var lines = met[..<start].map { DiffLine(kind: .same, text: metShown($0)) }
        var missing: [Expected] = []
        var surplus: [Met] = []
        func flush() {
            for index in 0..<max(missing.count, surplus.count) {
                if index < missing.count { lines.append(DiffLine(kind: .missing, text: shown(missing[index]))) }
                if index < surplus.count { lines.append(DiffLine(kind: .surplus, text: metShown(surplus[index]))) }
                guard index < missing.count, index < surplus.count, let text = note(missing[index], surplus[index]) else { continue }
                lines.append(DiffLine(kind: .note, text: text))
            }
            (missing, surplus) = ([], [])
        }
        for step in steps(middle.0, middle.1, matches) {
            switch step {
            case .missing(let record): missing.append(record)
            case .surplus(let record): surplus.append(record)
            case .same(let record):
                flush()
                lines.append(DiffLine(kind: .same, text: metShown(record)))
            }
        }
        flush()
        return lines + met[(met.count - end)...].map { DiffLine(kind: .same, text: metShown($0)) }
    }

    private enum Step<Expected, Met> {
        case same(Met)
        case missing(Expected)
        case surplus(Met)
    }

    private static func common<Expected, Met>(
        _ expected: [Expected], _ met: [Met], _ matches: (Expected, Met) -> Bool
    ) -> (start: Int, end: Int) {
        let most = min(expected.count, met.count)
        var start = 0
        while start < most, matches(expected[start], met[start]) { start += 1 }
        var end = 0
        while end < most - start, matches(expected[expected.count - 1 - end], met[met.count - 1 - end]) { end += 1 }
        return (start, end)
    }

    /// The longest common subsequence, if the inputs are small enough.
    private static func steps<Expected, Met>(
        _ expected: ArraySlice<Expected>, _ met: ArraySlice<Met>, _ matches: (Expected, Met) -> Bool
    ) -> [Step<Expected, Met>] {
        let (wanted, came) = (Array(expected), Array(met))
        guard wanted.count * came.count <= limit else { return wanted.map { .missing($0) } + came.map { .surplus($0) } }
        let width = came.count + 1
        var longest = Array(repeating: 0, count: (wanted.count + 1) * width)
        for row in wanted.indices.reversed() {
            for column in came.indices.reversed() {
                longest[row * width + column] =
                    matches(wanted[row], came[column])
                    ? longest[(row + 1) * width + column + 1] + 1 : max(longest[(row + 1) * width + column], longest[row * width + column + 1])
            }
        }
        var steps: [Step<Expected, Met>] = []
        var (row, column) = (0, 0)
        while row < wanted.count || column < came.count {
            if row < wanted.count, column < came.count, matches(wanted[row], came[column]) {
                steps.append(.same(came[column]))
                (row, column) = (row + 1, column + 1)
            } else if row < wanted.count, column == came.count || longest[(row + 1) * width + column] >= longest[row * width + column + 1] {
                steps.append(.missing(wanted[row]))
                row += 1
            } else {
                steps.append(.surplus(came[column]))
                column += 1
            }
        }
        return steps
    }
}
