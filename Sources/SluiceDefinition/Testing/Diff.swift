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
    static func lines<Expected, Actual>(
        expected: [Expected], actual: [Actual], matches: (Expected, Actual) -> Bool, shown: (Expected) -> String, _ actualShown: (Actual) -> String,
        _ note: (Expected, Actual) -> String? = { _, _ in nil }
    ) -> [DiffLine] {
        let (start, end) = common(expected, actual, matches)
        let middle = (expected[start..<(expected.count - end)], actual[start..<(actual.count - end)])
        var lines = actual[..<start].map { DiffLine(kind: .same, text: actualShown($0)) }
        var missing: [Expected] = []
        var surplus: [Actual] = []
        func flush() {
            for index in 0..<max(missing.count, surplus.count) {
                if index < missing.count { lines.append(DiffLine(kind: .missing, text: shown(missing[index]))) }
                if index < surplus.count { lines.append(DiffLine(kind: .surplus, text: actualShown(surplus[index]))) }
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
                lines.append(DiffLine(kind: .same, text: actualShown(record)))
            }
        }
        flush()
        return lines + actual[(actual.count - end)...].map { DiffLine(kind: .same, text: actualShown($0)) }
    }

    private enum Step<Expected, Actual> {
        case same(Actual)
        case missing(Expected)
        case surplus(Actual)
    }

    private static func common<Expected, Actual>(
        _ expected: [Expected], _ actual: [Actual], _ matches: (Expected, Actual) -> Bool
    ) -> (start: Int, end: Int) {
        let most = min(expected.count, actual.count)
        var start = 0
        while start < most, matches(expected[start], actual[start]) { start += 1 }
        var end = 0
        while end < most - start, matches(expected[expected.count - 1 - end], actual[actual.count - 1 - end]) { end += 1 }
        return (start, end)
    }

    /// The longest common subsequence, if the inputs are small enough.
    private static func steps<Expected, Actual>(
        _ expected: ArraySlice<Expected>, _ actual: ArraySlice<Actual>, _ matches: (Expected, Actual) -> Bool
    ) -> [Step<Expected, Actual>] {
        let (wanted, found) = (Array(expected), Array(actual))
        guard wanted.count * found.count <= limit else { return wanted.map { .missing($0) } + found.map { .surplus($0) } }
        let width = found.count + 1
        var longest = Array(repeating: 0, count: (wanted.count + 1) * width)
        for row in wanted.indices.reversed() {
            for column in found.indices.reversed() {
                longest[row * width + column] =
                    matches(wanted[row], found[column])
                    ? longest[(row + 1) * width + column + 1] + 1 : max(longest[(row + 1) * width + column], longest[row * width + column + 1])
            }
        }
        var steps: [Step<Expected, Actual>] = []
        var (row, column) = (0, 0)
        while row < wanted.count || column < found.count {
            if row < wanted.count, column < found.count, matches(wanted[row], found[column]) {
                steps.append(.same(found[column]))
                (row, column) = (row + 1, column + 1)
            } else if row < wanted.count, column == found.count || longest[(row + 1) * width + column] >= longest[row * width + column + 1] {
                steps.append(.missing(wanted[row]))
                row += 1
            } else {
                steps.append(.surplus(found[column]))
                column += 1
            }
        }
        return steps
    }
}
