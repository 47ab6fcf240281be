import Testing

@testable import SluiceCEL

@Suite("Patterns that are sequences")
struct SequenceMatcherTests {
    private static let pieces = [
        "a", "b", "ab", "ba", " ", "-", ".*", ".+", ".*?", ".+?", "a*", "a+?", "b?", "b??", "[ab]+", "[^a]*", "\\S+", "\\s*", "\\d+", "[^ ]+?", "(a+)", "(.*)",
        "(\\S+)", "([^-]*)", "(?:b)", "(b?)", "(?P<n>a*b)", "((a)b*)", "()", "^", "$", ".", "[ab]", "\\.",
    ]

    /// The captures by RE2 and by the matcher; nil for no match. No result where RE2 has to answer.
    private func both(_ matcher: SequenceMatcher, _ regex: CompiledRegex, groups: Int, _ text: String) -> (re2: [Pattern.Capture]?, own: [Pattern.Capture]?)? {
        let bytes = Array(text.utf8)
        return bytes.withUnsafeBufferPointer { bytes in
            var expected = [Pattern.Capture](repeating: .unmatched, count: 1 + groups)
            var found = expected
            let isFound = expected.withUnsafeMutableBufferPointer { regex.find(in: bytes, from: 0, into: $0) }
            switch found.withUnsafeMutableBufferPointer({ matcher.find(in: bytes, into: $0) }) {
            case .match: return (isFound ? expected : nil, found)
            case .noMatch:
                #expect(found.allSatisfy { !$0.isMatched }, "without a match, the captures are unchanged")
                return (isFound ? expected : nil, nil)
            case .unknown: return nil
            }
        }
    }

    @Test("give the captures that RE2 gives", arguments: 0..<60)
    func sameCaptures(seed: Int) throws {
        var random = SplitMix(state: UInt64(seed) &* 0xD134_2543_DE82_EF95)
        var (answered, asked) = (0, 0)
        for _ in 0..<60 {
            let pattern = (0..<Int.random(in: 1...6, using: &random)).map { _ in Self.pieces.randomElement(using: &random) ?? "" }.joined()
            guard let matcher = SequenceMatcher(pattern: pattern) else { continue }
            let regex: CompiledRegex
            do throws(PatternError) { regex = try CompiledRegex(pattern) } catch { continue }
            for _ in 0..<30 {
                let text = (0..<Int.random(in: 1...24, using: &random)).map { _ in ["a", "b", " ", "-", ".", "1", "\n"].randomElement(using: &random) ?? "" }
                    .joined()
                asked += 1
                guard let (re2, own) = both(matcher, regex, groups: regex.groupNames().count, text) else { continue }
                answered += 1
                #expect(own == re2, "\(pattern.debugDescription) in \(text.debugDescription)")
            }
        }
        #expect(answered > asked / 2)
    }

    @Test(
        "of logs are among them",
        arguments: [
            (#"Failed password for .* from (\S+) port "#, "sshd[7]: Failed password for x from y from 10.0.0.7 port 22 ssh2", ["10.0.0.7"]),
            (
                #"^(\S+) \S+ (\S+) \[([^\]]*)\] "([^"]*)" (\d+) (\S+)"#, #"1.2.3.4 - me [10/Oct/2000] "GET / HTTP/1.0" 200 -"#,
                ["1.2.3.4", "me", "10/Oct/2000", "GET / HTTP/1.0", "200", "-"]
            ),
            (#"(?P<key>\w+)=(?P<value>.*)$"#, "a b=c=d", ["b", "c=d"]), (#"<(.+?)>"#, "<a><b>", ["a"]),
        ])
    func logs(pattern: String, text: String, groups: [String]) throws {
        let matcher = try #require(SequenceMatcher(pattern: pattern))
        let (re2, own) = try #require(both(matcher, try CompiledRegex(Pattern.withNamedGroupsSpelledOut(pattern)), groups: groups.count, text))
        #expect(own == re2)
        let bytes = Array(text.utf8)
        #expect(own?.dropFirst().map { String(decoding: bytes[$0.range], as: UTF8.self) } == groups)
    }

    @Test(
        "have no alternatives, no repeated groups and nothing that only RE2 knows",
        arguments: ["a|b", "(a)+", "(a|b)", "a{2}", "(?i)a", "\\bа", "é+", "\\pL", "(a)?"])
    func others(pattern: String) {
        #expect(SequenceMatcher(pattern: pattern) == nil)
    }

    @Test("leave texts beyond ASCII, and those that take many steps, to RE2")
    func leftToRE2() throws {
        let matcher = try #require(SequenceMatcher(pattern: "a.*b.*c.*d"))
        let regex = try CompiledRegex("a.*b.*c.*d")
        #expect(both(matcher, regex, groups: 0, "aébcd") == nil)
        let hard = String(repeating: "abc", count: 300)
        for _ in 0..<70 { #expect(both(matcher, regex, groups: 0, hard) == nil) }
        #expect(both(matcher, regex, groups: 0, "abcd") == nil, "after many of them, RE2 answers for all")
        let pattern = try Pattern("a.*b.*c.*(d)")
        var captures = [Pattern.Capture](repeating: .unmatched, count: 2)
        let bytes = Array((hard + "éd").utf8)
        let isFound = bytes.withUnsafeBufferPointer { bytes in captures.withUnsafeMutableBufferPointer { pattern.find(in: bytes, into: $0) } }
        #expect(isFound && captures == [Pattern.Capture(start: 0, count: 903), Pattern.Capture(start: 902, count: 1)])
    }
}
