import CBytes
import Glibc
import Synchronization

/// Finds the captures of patterns that are sequences, such as `from (\S+) port (\d+)`: literal
/// text, runs of bytes of a set, groups and anchors.
///
/// A backtracking search, which for such patterns gives the match that RE2 gives, the leftmost, in
/// which earlier runs are as long (or, if lazy, as short) as they can be. It is several times
/// faster than RE2, which searches twice and then a third time for the captures. Where backtracking
/// takes more steps than a few for each byte, and for texts with bytes beyond ASCII, RE2 has to
/// answer, so that the time stays linear.
///
/// Safe because the sets are only written in `init` and freed in `deinit`, and every access to the
/// text is checked against its length.
final class SequenceMatcher: Sendable {
    enum Answer {
        case match, noMatch
        /// RE2 has to answer.
        case unknown
    }

    /// Refers to the tables below by offsets, so that a step is copied without counting references.
    private enum Step: BitwiseCopyable {
        case literal(start: Int, count: Int)
        /// `set` is the offset of its table. `isFinal`: no other length than the longest can lead
        /// to a match, because what follows begins with a byte that is not in the set.
        case run(set: Int, least: Int, most: Int, isLazy: Bool, isFinal: Bool)
        case open(Int)
        case close(Int)
        case textStart
        case textEnd
    }

    private static let mostSteps = 64
    /// The number of steps, for each byte of the text, after which RE2 has to answer.
    private static let stepsForByte = 2
    /// After so many texts that took more, RE2 answers for all.
    private static let mostSpent = 64

    private let steps: [Step]
    /// For each set, 256 bytes: 1 for those that are in it.
    private nonisolated(unsafe) let sets: UnsafeMutablePointer<UInt8>
    private nonisolated(unsafe) let literals: UnsafeMutablePointer<UInt8>
    /// The literal text that every match begins with.
    private let prefix: (start: Int, count: Int)
    private let isAnchored: Bool
    private let spent = Atomic(0)

    /// - Returns: nil for patterns that are no sequences, or not worth it.
    init?(pattern: String) {
        guard let parsed = RegexParser.steps(of: pattern), parsed.count <= 4 * Self.mostSteps else { return nil }
        var steps: [Step] = []
        var bytes: [UInt8] = []
        var tables: [ASCIISet] = []
        for step in parsed {
            switch step {
            case .byte(let byte):
                if case .literal(let start, let count)? = steps.last {
                    steps[steps.count - 1] = .literal(start: start, count: count + 1)
                } else {
                    steps.append(.literal(start: bytes.count, count: 1))
                }
                bytes.append(byte)
            case .run(let set, let least, let most, let isLazy):
                steps.append(.run(set: 256 * tables.count, least: least, most: most ?? .max, isLazy: isLazy, isFinal: false))
                tables.append(set)
            case .open(let group): steps.append(.open(group))
            case .close(let group): steps.append(.close(group))
            case .textStart: steps.append(.textStart)
            case .textEnd: steps.append(.textEnd)
            }
        }
        guard steps.count <= Self.mostSteps else { return nil }
        for (index, step) in steps.enumerated() {
            guard case .run(let set, let least, let most, false, _) = step else { continue }
            let isFinal = Self.excludes(tables[set / 256], steps[(index + 1)...], bytes, tables)
            steps[index] = .run(set: set, least: least, most: most, isLazy: false, isFinal: isFinal)
        }
        let first = steps.first { if case .open = $0 { false } else { true } }
        if case .textStart? = first { isAnchored = true } else { isAnchored = false }
        if case .literal(let start, let count)? = first { prefix = (start, count) } else { prefix = (0, 0) }
        self.steps = steps
        literals = .allocate(capacity: max(1, bytes.count))
        literals.initialize(from: bytes, count: bytes.count)
        sets = .allocate(capacity: max(1, 256 * tables.count))
        for (index, table) in tables.enumerated() {
            for byte in 0..<256 { sets[256 * index + byte] = table.contains(UInt8(byte)) ? 1 : 0 }
        }
    }

    deinit {
        sets.deallocate()
        literals.deallocate()
    }

    /// Whether what follows, which is not empty or the end, begins with a byte that is not in the
    /// set.
    private static func excludes(_ set: ASCIISet, _ following: ArraySlice<Step>, _ literals: [UInt8], _ tables: [ASCIISet]) -> Bool {
        for step in following {
            switch step {
            case .open, .close: continue
            case .literal(let start, _): return !set.contains(literals[start])
            case .run(let other, let least, _, _, _):
                let other = tables[other / 256]
                return least > 0 && set.low & other.low == 0 && set.high & other.high == 0
            case .textEnd: return true
            case .textStart: return false
            }
        }
        // Any length leads to a match, so the longest is tried first and last.
        return true
    }

    /// Finds the leftmost match. Fills `captures` with the whole match and then the groups, as far
    /// as there is room; unchanged without a match.
    func find(in bytes: UnsafeBufferPointer<UInt8>, into captures: UnsafeMutableBufferPointer<Pattern.Capture>) -> Answer {
        guard spent.load(ordering: .relaxed) < Self.mostSpent else { return .unknown }
        guard let text = bytes.baseAddress, cbytes_is_ascii(text, bytes.count) else { return .unknown }
        return withUnsafeTemporaryAllocation(of: Choice.self, capacity: Self.mostSteps) { choices in
            withUnsafeTemporaryAllocation(of: Pattern.Capture.self, capacity: max(1, captures.count)) { found in
                guard let choices = choices.baseAddress else { return .unknown }
                found.initialize(repeating: .unmatched)
                var search = Search(matcher: self, text: text, count: bytes.count, captures: found, choices: choices)
                let answer = steps.withUnsafeBufferPointer { search.run($0) }
                switch answer {
                case .match: for index in captures.indices { captures[index] = found[index] }
                case .noMatch: break
                case .unknown: spent.add(1, ordering: .relaxed)
                }
                return answer
            }
        }
    }

    /// A run that may have another length.
    private struct Choice {
        var step: Int
        var start: Int
        /// Where it ends at present, and the last place where it may end.
        var end: Int
        var last: Int
    }

    private struct Search {
        let sets: UnsafePointer<UInt8>
        let literals: UnsafePointer<UInt8>
        let prefix: (start: Int, count: Int)
        let isAnchored: Bool
        let text: UnsafePointer<UInt8>
        let count: Int
        let captures: UnsafeMutableBufferPointer<Pattern.Capture>
        let choices: UnsafeMutablePointer<Choice>
        var budget: Int

        init(
            matcher: SequenceMatcher, text: UnsafePointer<UInt8>, count: Int, captures: UnsafeMutableBufferPointer<Pattern.Capture>,
            choices: UnsafeMutablePointer<Choice>
        ) {
            (sets, literals) = (UnsafePointer(matcher.sets), UnsafePointer(matcher.literals))
            (prefix, isAnchored) = (matcher.prefix, matcher.isAnchored)
            (self.text, self.count, self.captures, self.choices) = (text, count, captures, choices)
            budget = 64 + SequenceMatcher.stepsForByte * count
        }

        mutating func run(_ steps: UnsafeBufferPointer<Step>) -> Answer {
            var start = 0
            while start <= count {
                if prefix.count > 0 {
                    let found = cbytes_find(text + start, count - start, literals + prefix.start, prefix.count)
                    guard found >= 0 else { return .noMatch }
                    start += found
                }
                if let end = match(from: start, steps) {
                    captures[0] = Pattern.Capture(start: start, count: end - start)
                    return .match
                }
                if budget < 0 { return .unknown }
                if isAnchored { return .noMatch }
                start += 1
            }
            return .noMatch
        }

        /// - Returns: the end of the match; nil if there is none, or the budget is spent.
        private mutating func match(from start: Int, _ steps: UnsafeBufferPointer<Step>) -> Int? {
            var (step, place, open) = (0, start, 0)
            while true {
                var isMatch = true
                if step == steps.count { return place }
                budget -= 1
                switch steps[step] {
                case .literal(let start, let length):
                    isMatch = length <= count - place && memcmp(literals + start, text + place, length) == 0
                    if isMatch { place += length }
                case .run(let set, let least, let most, let isLazy, let isFinal):
                    let table = sets + set
                    let last = place + min(most, count - place)
                    let shortest = place + least
                    var end = place
                    let wanted = isLazy ? min(shortest, last) : last
                    while end < wanted, table[Int(text[end])] != 0 { end += 1 }
                    budget -= (end - place) / 8
                    if end < shortest {
                        isMatch = false
                    } else {
                        if isLazy ? end < last : end > shortest && !isFinal {
                            choices[open] = Choice(step: step, start: shortest, end: end, last: last)
                            open += 1
                        }
                        place = end
                    }
                case .open(let group):
                    if group < captures.count { captures[group].start = place }
                case .close(let group):
                    if group < captures.count { captures[group].count = place - captures[group].start }
                case .textStart: isMatch = place == 0
                case .textEnd: isMatch = place == count
                }
                if isMatch {
                    step += 1
                    continue
                }
                guard budget >= 0, let other = nextChoice(&open, steps) else { return nil }
                (step, place) = other
            }
        }

        /// Gives the last run that has a choice its next length.
        private mutating func nextChoice(_ open: inout Int, _ steps: UnsafeBufferPointer<Step>) -> (step: Int, place: Int)? {
            while open > 0 {
                let choice = choices[open - 1]
                guard case .run(let set, _, _, let isLazy, _) = steps[choice.step] else { return nil }
                budget -= 1
                if isLazy {
                    if choice.end < choice.last, (sets + set)[Int(text[choice.end])] != 0 {
                        choices[open - 1].end += 1
                        return (choice.step + 1, choice.end + 1)
                    }
                } else if let end = shorter(choice, steps) {
                    choices[open - 1].end = end
                    return (choice.step + 1, end)
                }
                open -= 1
            }
            return nil
        }

        /// The next shorter end at which the literal text that follows, if there is some, begins.
        private mutating func shorter(_ choice: Choice, _ steps: UnsafeBufferPointer<Step>) -> Int? {
            var end = choice.end - 1
            if choice.step + 1 < steps.count, case .literal(let start, _) = steps[choice.step + 1] {
                let first = literals[start]
                while end >= choice.start, text[end] != first { end -= 1 }
                budget -= (choice.end - end) / 8
            }
            return end >= choice.start ? end : nil
        }
    }
}
