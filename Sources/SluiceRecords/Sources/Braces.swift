/// `{a,b}` in a pattern: one pattern for each choice.
enum Braces {
    private static let most = 10_000

    static func expand(_ pattern: String) throws(InputError) -> [String] {
        var done: [String] = []
        var waiting = [Array(pattern)]
        while let next = waiting.popLast() {
            guard let group = try firstGroup(in: next, of: pattern) else {
                done.append(String(next))
                continue
            }
            guard waiting.count + done.count + group.choices.count <= most else {
                throw .badPattern(pattern: pattern, reason: "its braces stand for more than \(most) patterns")
            }
            for choice in group.choices.reversed() {
                waiting.append(Array([next[..<group.range.lowerBound], choice, next[group.range.upperBound...]].joined()))
            }
        }
        return done
    }

    private struct Group {
        var range: Range<Int>
        var choices: [ArraySlice<Character>]
    }

    /// The first braces with a comma at their own depth. Braces without one stand for themselves, as in a shell.
    private static func firstGroup(in pattern: [Character], of whole: String) throws(InputError) -> Group? {
        var opened: [(at: Int, commas: [Int])] = []
        var first: Group?
        var at = 0
        while at < pattern.count {
            switch pattern[at] {
            case "\\": at += 1
            case "[": at = NamePattern.endOfSet(in: pattern, from: at) ?? at
            case "{": opened.append((at, []))
            case "," where !opened.isEmpty: opened[opened.count - 1].commas.append(at)
            case "}":
                guard let group = opened.popLast() else { break }
                guard !group.commas.isEmpty, group.at < first?.range.lowerBound ?? Int.max else { break }
                let edges = [group.at] + group.commas + [at]
                first = Group(range: group.at..<at + 1, choices: zip(edges, edges.dropFirst()).map { pattern[($0 + 1)..<$1] })
            default: break
            }
            at += 1
        }
        guard opened.isEmpty else { throw .badPattern(pattern: whole, reason: "a '{' without its '}'; write '\\{' for the character") }
        return first
    }
}
