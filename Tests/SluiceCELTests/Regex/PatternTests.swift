import SluiceCEL
import Testing

@Suite("Patterns")
struct PatternTests {
    @Test(
        "finds a match anywhere in the text",
        arguments: [
            ("ab", "xxabxx", true), ("^ab", "xab", false), ("ab$", "xab", true), ("^$", "", true), ("a{3}", "aa", false),
            ("ü+", "grüüß", true), ("(?i)ERR", "an error", true), (".", "\n", false), ("(?s).", "\n", true),
        ])
    func matches(pattern: String, text: String, expected: Bool) throws {
        #expect(try Pattern(pattern).matches(text) == expected)
    }

    @Test(
        "reports why a pattern is invalid",
        arguments: [
            ("(a", "missing )"), ("a**", "bad repetition operator"), ("[z-a]", "invalid character class range"), ("\\q", "invalid escape"),
            ("(?=a)", "invalid perl operator"), ("(\\w+)\\1", "invalid escape sequence"), ("a{2000}", "invalid repetition size"),
            ("((a{100}){100}){100}", "invalid repetition size"),
        ])
    func refuses(pattern: String, reason: String) throws {
        let error = #expect(throws: PatternError.self) { try Pattern(pattern) }
        let message = try #require(error).message
        #expect(message.contains(reason), "\(message)")
    }

    @Test("captures are byte offsets, and groups that took no part are unmatched")
    func captures() throws {
        let pattern = try Pattern("(?P<word>[a-zü]+)=(\\d+)|(?<tail>!)")
        #expect(pattern.groupNames == ["word", nil, "tail"])
        var captures = [Pattern.Capture](repeating: .unmatched, count: 4)
        let found = Array("  grün=42".utf8).withUnsafeBufferPointer { bytes in
            captures.withUnsafeMutableBufferPointer { pattern.find(in: bytes, into: $0) }
        }
        #expect(found)
        #expect(captures.map(\.start) == [2, 2, 8, -1])
        #expect(captures.map(\.count) == [8, 5, 2, 0])
    }

    @Test("bytes that are not UTF-8 match nothing and break nothing")
    func invalidText() throws {
        let bytes: [UInt8] = [0x61, 0xFF, 0xC3, 0x62, 0, 0xED, 0xA0, 0x80]
        let (across, nul, empty) = (try Pattern("a.*b"), try Pattern("b\\x00"), try Pattern("^"))
        bytes.withUnsafeBufferPointer { bytes in
            #expect(across.matches(bytes) == false)
            #expect(nul.matches(bytes))
            #expect(empty.matches(bytes))
        }
        #expect(try Pattern("^$").matches(UnsafeBufferPointer(start: nil, count: 0)))
    }

    @Test(
        "accepts (?<name>…) as well as (?P<name>…), but not in classes and quotes",
        arguments: [
            ("(?<a>x)", ["a"]), ("[(?<b>]+(?<c>y)", ["c"]), ("\\Q(?<d>\\E(?<e>z)", ["e"]), ("[]a(?<][[:alpha:](?<]\\((?<f>.)", ["f"]),
        ])
    func namedGroups(pattern: String, names: [String]) throws {
        #expect(try Pattern(pattern).groupNames == names)
    }

    @Test(
        "visits all matches, and moves past empty ones by whole code points",
        arguments: [
            ("a*", "baac", ["", "aa", ""]), ("\\d+", "1 22 333", ["1", "22", "333"]), ("", "ü", ["", ""]), ("x", "abc", []),
        ])
    func allMatches(pattern: String, text: String, expected: [String]) throws {
        let pattern = try Pattern(pattern)
        var found: [String] = []
        Array(text.utf8).withUnsafeBufferPointer { bytes in
            pattern.forEachMatch(in: bytes, groups: 0) { captures in
                found.append(String(decoding: bytes[captures[0].range], as: UTF8.self))
                return true
            }
        }
        #expect(found == expected)
    }

    @Test(
        "replaces, with groups and a limit",
        arguments: [
            ("(\\w)(\\w)", "\\2\\1", -1, "ab cd e", "ba dc e"), ("a", "<\\0>", 2, "aaa", "<a><a>a"), ("b", "\\\\", -1, "abc", "a\\c"),
            ("a*", "-", -1, "baac", "-b-c-"), ("a", "x", 0, "aa", "aa"),
        ])
    func replaces(pattern: String, replacement: String, limit: Int, text: String, expected: String) throws {
        let pattern = try Pattern(pattern)
        let replacement = try Pattern.Replacement(replacement, for: pattern)
        let result = Array(text.utf8).withUnsafeBufferPointer { pattern.replacing(in: $0, with: replacement, limit: limit) }
        #expect(String(decoding: result, as: UTF8.self) == expected)
    }

    @Test("refuses a replacement that names a group the pattern lacks", arguments: ["\\2", "a\\", "\\x"])
    func badReplacement(text: String) throws {
        let pattern = try Pattern("(a)")
        #expect(throws: PatternError.self) { try Pattern.Replacement(text, for: pattern) }
    }

    @Test("takes time linear in the text where backtracking would take forever")
    func linear() throws {
        let text = String(repeating: "a", count: 100_000)
        #expect(try Pattern("^(a+)+$").matches(text + "b") == false)
        #expect(try Pattern("(x+x+)+y|(a|aa)*c").matches(text) == false)
    }
}
