/// Expands `{a,b}` in a pattern into one pattern for each alternative.
enum Braces {
    private static let most = 10_000

    static func expand(_ pattern: String) throws(InputError) -> [[UInt8]] {
        var done: [[UInt8]] = []
        var waiting = [Array(pattern.utf8)]
        while let next = waiting.popLast() {
            guard let group = try firstGroup(in: next, of: pattern) else {
                done.append(next)
                continue
            }
            guard waiting.count + done.count + group.choices.count <= most else {
                throw .badPattern(pattern: pattern, reason: "its braces expand to more than \(most) patterns")
            }
            for choice in group.choices.reversed() {
                waiting.append(Array([next[..<group.range.lowerBound], choice, next[group.range.upperBound...]].joined()))
            }
        }
        return done
    }

    private struct Group {
        var range: Range<Int>
        var choices: [ArraySlice<UInt8>]
    }

    /// The first braces that contain a comma at their own nesting depth. Others are literal, as in
    /// a shell.
    private static func firstGroup(in pattern: [UInt8], of whole: String) throws(InputError) -> Group? {
        var opened: [(at: Int, commas: [Int])] = []
        var first: Group?
        var at = 0
        while at < pattern.count {
            switch pattern[at] {
            case UInt8(ascii: "\\"): at += 1
            case UInt8(ascii: "["): at = NamePattern.endOfSet(in: pattern[...], from: at) ?? at
            case UInt8(ascii: "{"): opened.append((at, []))
            case UInt8(ascii: ",") where !opened.isEmpty: opened[opened.count - 1].commas.append(at)
            case UInt8(ascii: "}"):
                guard let group = opened.popLast() else { break }
                guard !group.commas.isEmpty, group.at < first?.range.lowerBound ?? Int.max else { break }
                let edges = [group.at] + group.commas + [at]
                first = Group(range: group.at..<at + 1, choices: zip(edges, edges.dropFirst()).map { pattern[($0 + 1)..<$1] })
            default: break
            }
            at += 1
        }
        guard opened.isEmpty else { throw .badPattern(pattern: whole, reason: "'{' without '}'; write '\\{' for a literal '{'") }
        return first
    }
}
