import Testing

@testable import SluiceCEL

@Suite("Byte automata")
struct ByteAutomatonTests {
    @Test(
        "are built for everyday patterns",
        arguments: [
            "^/api/v[0-9]+/users/[0-9]+$", "\\.(css|js|png|ico)$", "(bot|crawl|spider)", "^Mozilla/5\\.0 \\(X11; Linux", "é+|[^a]", "a{2,5}?",
            "(?P<year>\\d{4})-(?<month>\\d\\d)", "", "^$",
        ])
    func builds(pattern: String) { #expect(ByteAutomaton(pattern: pattern) != nil) }

    @Test(
        "are left to RE2 where the syntax or the size is beyond them",
        arguments: [
            "(?i)a", "\\bword\\b", "\\pL", "[[:alpha:]]", "[é]", "a{100}", "(a|b)*a(a|b){12}", "\\x41", "a{,3}", "\\Qa\\E",
        ])
    func declines(pattern: String) { #expect(ByteAutomaton(pattern: pattern) == nil) }

    @Test("agree with RE2 on generated patterns and texts, valid UTF-8 or not", arguments: 0..<24)
    func agreesWithRE2(seed: UInt64) throws {
        var random = SplitMix(state: seed &* 0xD134_2543_DE82_EF95)
        var compared = 0
        for _ in 0..<150 {
            let pattern = Self.pattern(depth: 3, &random)
            guard let regex = try? CompiledRegex(pattern), let automaton = ByteAutomaton(pattern: pattern) else { continue }
            for _ in 0..<40 {
                let text = Self.text(&random)
                text.withUnsafeBufferPointer { bytes in
                    #expect(automaton.matches(bytes) == regex.matches(bytes), "\(pattern) on \(text)")
                }
                compared += 1
            }
        }
        #expect(compared > 1_000)
    }

    private static let atoms = [
        "a", "b", "c", "ab", "abc", "é", "\\.", ".", "[a-c]", "[^a]", "[b.]", "\\d", "\\W", "\\s", "0", "^", "$", "[^\\d]", "\\n", "bot", "😀", "\\A", "\\z",
    ]

    private static let repeats = ["*", "+", "?", "{2}", "{1,3}", "*?", "{0,2}", "{1,}"]

    private static func pattern(depth: Int, _ random: inout SplitMix) -> String {
        let choice = depth == 0 ? 0 : Int.random(in: 0..<9, using: &random)
        func inner() -> String { pattern(depth: depth - 1, &random) }
        switch choice {
        case 1, 2, 3: return inner() + inner()
        case 4: return "(" + inner() + "|" + inner() + ")"
        case 5: return "(?:" + inner() + ")" + (repeats.randomElement(using: &random) ?? "*")
        case 6: return inner() + "|" + inner()
        default: return atoms.randomElement(using: &random) ?? "a"
        }
    }

    private static let pieces: [[UInt8]] =
        ["a", "b", "c", "abc", "é", "😀", "0", ".", " ", "\n", "bot", "x", "aaaaaaaaaaaaaaaaaa"].map { Array($0.utf8) } + [
            [0xFF], [0xC3], [0x80], [0xF5, 0x80], [0],
        ]

    private static func text(_ random: inout SplitMix) -> [UInt8] {
        (0..<Int.random(in: 0...12, using: &random)).flatMap { _ in pieces.randomElement(using: &random) ?? [] }
    }
}
