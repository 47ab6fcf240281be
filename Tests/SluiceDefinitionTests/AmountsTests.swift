import SluiceRecords
import Testing

@testable import SluiceDefinition

@Suite("Durations, sizes and shares")
struct AmountsTests {
    @Test(
        "durations have a unit",
        arguments: [
            ("200ms", .milliseconds(200)), ("5s", .seconds(5)), ("1m", .seconds(60)), ("1.5h", .seconds(5400)), ("7 us", .microseconds(7)),
        ] as [(String, Duration)])
    func durations(text: String, expected: Duration) {
        #expect(Amounts.duration(text) == expected)
    }

    @Test("invalid durations", arguments: ["5", "s", "", "-1s", "5 parsecs", "1e3s", "1.2.3s", "99999999999999999999d"])
    func noDurations(text: String) {
        #expect(Amounts.duration(text) == nil)
    }

    @Test(
        "sizes are bytes, or have a unit",
        arguments: [("1000", 1000), ("512KB", 512_000), ("16MiB", 16 << 20), ("1.5 GiB", 3 << 29), ("1_000", 1000), ("0", 0)])
    func sizes(text: String, expected: Int) {
        #expect(Amounts.size(text) == expected)
    }

    @Test("invalid sizes", arguments: ["", "16XB", "-1", "1.5", "99999999999999TiB", "lots"])
    func noSizes(text: String) {
        #expect(Amounts.size(text) == nil)
    }

    @Test("shares are percentages up to 100", arguments: [("1%", 0.01), ("0.5 %", 0.005), ("100%", 1), ("101%", nil), ("1", nil)] as [(String, Double?)])
    func shares(text: String, expected: Double?) {
        #expect(Amounts.share(text) == expected)
    }
}

@Suite("YAML")
struct YAMLDocumentTests {
    @Test("a handful of anchors and aliases is fine")
    func aliases() {
        let document = YAMLDocument(SourceText("a: &a {x: 1}\nb: [*a, *a]\n"))
        #expect(document.diagnostics.isEmpty)
        #expect(document.root != nil)
    }

    @Test("twenty aliases cannot grow beyond the limit on values")
    func growth() {
        let wide = "[" + String(repeating: "x,", count: 40_000) + "x]"
        let document = YAMLDocument(SourceText("a: &a \(wide)\nb: [*a, *a, *a]\n"))
        #expect(document.root == nil)
        #expect(document.diagnostics.count == 1)
    }

    @Test("deep nesting is an error, not a crash")
    func deep() {
        let document = YAMLDocument(SourceText("a: " + String(repeating: "[", count: 100_000)))
        #expect(document.diagnostics.count == 1)
    }

    @Test("a key written three times is reported twice, whatever its quotes")
    func threeTimes() {
        let document = YAMLDocument(SourceText("a: 1\n'a': 2\n\"a\": 3\nb: 4\n"))
        #expect(document.diagnostics.map { $0.place?.start.line } == [2, 3])
        guard case .map(let map) = document.root else { return #expect(Bool(false)) }
        #expect(map.entries.map(\.key.text) == ["a", "b"])
    }

    @Test("a file longer than 1 MiB is not read")
    func long() {
        let document = YAMLDocument(SourceText(String(repeating: "# x\n", count: 300_000)))
        #expect(document.diagnostics.count == 1)
    }
}
