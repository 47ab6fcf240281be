import SluiceCEL
import Testing

@Suite("Hostile expressions")
struct HostileTextTests {
    private static let deep = [
        String(repeating: "(", count: 5_000) + "1" + String(repeating: ")", count: 5_000),
        String(repeating: "[", count: 5_000) + String(repeating: "]", count: 5_000),
        String(repeating: "{1:", count: 5_000) + "1" + String(repeating: "}", count: 5_000),
        String(repeating: "!", count: 5_000) + "true",
        String(repeating: "-", count: 5_000) + "1",
        "a" + String(repeating: ".b", count: 5_000),
        "a" + String(repeating: "[0]", count: 5_000),
        "1" + String(repeating: " + 1", count: 5_000),
        String(repeating: "true ? 1 : ", count: 5_000) + "1",
        String(repeating: "size(", count: 5_000) + "'a'" + String(repeating: ")", count: 5_000),
        "[1]" + String(repeating: ".map(x, [x])", count: 5_000),
        String(repeating: "cel.bind(x, 1, ", count: 5_000) + "x" + String(repeating: ")", count: 5_000),
    ]

    @Test("nesting that would exhaust the stack is an error", arguments: deep)
    func deepNesting(text: String) {
        #expect(throws: Diagnostics.self) { try Program(text) }
    }

    @Test(
        "nesting that is allowed is evaluated",
        arguments: [
            (String(repeating: "(", count: 200) + "1" + String(repeating: ")", count: 200), "1"),
            ("1" + String(repeating: " + 1", count: 200), "201"),
            (String(repeating: "!", count: 200) + "true", "true"),
            ("size(" + String(repeating: "[", count: 200) + String(repeating: "]", count: 200) + ")", "1"),
            ("false" + String(repeating: " || false", count: 5_000), "false"),
            ("[1]" + String(repeating: ".map(x, x + 1)", count: 100) + "[0]", "101"),
            (String(repeating: "cel.bind(x, 1, ", count: 120) + "x" + String(repeating: ")", count: 120), "1"),
        ])
    func allowedNesting(text: String, value: String) {
        #expect(evaluated(text) == value)
    }

    @Test(
        "work without end stops at the cost limit",
        arguments: [
            "[1,2,3,4,5,6,7,8,9,10].map(a, xs.map(b, xs.map(c, xs.map(d, xs.map(e, xs.map(f, a + b))))))",
            "['a']" + String(repeating: ".map(x, [x, x])", count: 60),
            "['ab']" + String(repeating: ".map(x, x + x)", count: 60),
            "lists.range(1000000000000)",
            "big.replace('', big)",
            "xs.map(x, big).join(big).replace('a', big).size()",
            "'%s%s%s'.format([xs.map(x, big), xs.map(x, big), big]).replace('a', big)",
            "cel.bind(a, ['x'].map(x, [x, x])" + String(repeating: ".map(x, [x, x])", count: 40) + ", a == a)",
            "regex.replace(big, '', big).size()",
            "xs.map(x, big.split('')).size()",
            "(big + big + big).split('').size()",
            "(big + big + big).split('', 1000000).size()",
            "lists.range(180000).map(i, {'a': i}).size()",
            "lists.range(180000).map(i, [i]).size()",
            "lists.range(200000).transformMap(i, v, v).size()",
            "[0].map(x, lists.range(10000)).map(l, l.map(a, l.exists(b, a + b < 0)))",
        ])
    func costLimit(text: String) {
        let record: ValueMap = ["xs": .list((0..<1_000).map { .int($0) }), "big": .string(String(repeating: "a", count: 200_000))]
        #expect(evaluated(text, record).hasPrefix("cost_limit: "))
    }

    /// Counts how often a record is read.
    private final class CountedReads: FieldLookup {
        var reads = 0

        func field(_ index: Int) throws(EvaluationError) -> Value? {
            reads += 1
            return .string(String(repeating: "a", count: 1_000))
        }

        func record() throws(EvaluationError) -> Value {
            reads += 1
            return .map(["big": .string("a")])
        }

        func source() -> Value { .map([:]) }
    }

    @Test(
        "a field that a macro reads for each element is one value, not one for each",
        arguments: [
            ("lists.range(1000).map(x, big).size() == 1000", 1), ("lists.range(1000).map(x, record).size() == 1000", 1),
            ("lists.range(100).map(x, lists.range(10).filter(y, big != '').map(y, big)).size() == 100", 1),
        ])
    func sharedFields(text: String, most: Int) throws {
        let lookup = CountedReads()
        #expect(try Program(text, in: Environment()).evaluate(lookup).get() == .bool(true))
        #expect(lookup.reads <= most)
    }

    @Test("messages are short, whatever they quote")
    func messagesAreShort() {
        let shared = "['a']" + String(repeating: ".map(x, [x, x])", count: 40)
        #expect(evaluated("{'a': 1}[dyn(\(shared))]") == "no_such_key: no such key: a value of type list(dyn)")
        let record: ValueMap = ["big": .string(String(repeating: "a", count: 100_000))]
        #expect(evaluated("duration(big)", record).utf8.count < 1_100)
        #expect(evaluated("error(big)", record).utf8.count < 1_100)
        #expect(evaluated("{'a': 1}[big]", record).utf8.count < 1_100)
    }

    @Test(
        "a search that would compare everything with everything ends at once",
        arguments: [
            "big.contains(half + 'b')", "big.indexOf(half + 'b')", "big.lastIndexOf('b' + half)", "big.split(half + 'b').size()",
            "big.replace(half + 'b', '').size()",
        ])
    func searchIsLinear(text: String) {
        let record: ValueMap = ["big": .string(String(repeating: "a", count: 200_000)), "half": .string(String(repeating: "a", count: 100_000))]
        #expect(["false", "-1", "1", "200000"].contains(evaluated(text, record)))
    }

    @Test("regular expressions that backtrack elsewhere return at once")
    func patternsAreLinear() {
        let record: ValueMap = ["text": .string(String(repeating: "a", count: 100_000) + "!")]
        #expect(evaluated("text.matches('^(a+)+$')", record) == "false")
        #expect(evaluated("text.matches('(a|a)*$')", record) == "true")
    }
}
