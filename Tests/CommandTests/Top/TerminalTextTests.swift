import Testing

@testable import sluice

@Suite("Text for a terminal")
struct TerminalTextTests {
    @Test(
        "has nothing in it that controls a terminal or reorders a line",
        arguments: [
            ("plain", "plain"), ("a\tb\r\nc", "a b  c"), ("\u{1B}[2J\u{7}", "␛[2J␇"), ("\u{9B}31m", "\u{FFFD}31m"),
            ("a\u{202E}b\u{2067}c", "a\u{FFFD}b\u{FFFD}c"),
            ("a\u{2028}b", "a\u{FFFD}b"), ("\u{E000}", "\u{FFFD}"), ("\u{1F468}\u{200D}\u{1F469}", "👨👩"), ("👍🏽", "👍"), ("🇳🇱", "NL"), ("☺\u{FE0F}", "☺"),
            ("\u{301}x", "x"), ("e\u{301}\u{301}\u{301}\u{301}\u{301}", "e\u{301}\u{301}\u{301}"), ("\u{7F}", "␡"),
        ])
    func safe(text: String, shown: String) {
        #expect(Array(TerminalText.safe(text).unicodeScalars) == Array(shown.unicodeScalars))
    }

    @Test(
        "has a width in columns",
        arguments: [("", 0), ("abc", 3), ("日本", 4), ("한글", 4), ("ﬀ", 1), ("Ａ", 2), ("e\u{301}", 1), ("👍", 2), ("é…▁█", 4), ("שלום", 4), ("☺", 1), ("⌚", 2)])
    func width(text: String, columns: Int) {
        #expect(TerminalText.width(of: text) == columns)
    }

    @Test(
        "is cut or filled to exactly so many columns",
        arguments: [
            ("abc", 5, "abc  "), ("abc", 3, "abc"), ("abcd", 3, "ab…"), ("日本語", 4, "日… "), ("日本語", 5, "日本…"), ("日", 1, "…"), ("abc", 0, ""),
            ("e\u{301}e\u{301}e\u{301}", 2, "e\u{301}…"),
        ])
    func fitted(text: String, columns: Int, shown: String) {
        let fitted = TerminalText.fitted(text, to: columns)
        #expect(fitted == shown)
        #expect(TerminalText.width(of: fitted) == columns)
    }

    @Test("of any kind is as wide as it says, whatever it is cut to")
    func anything() {
        var random = SplitMix(state: 1)
        for _ in 0..<2_000 {
            var text = String.UnicodeScalarView()
            for _ in 0..<20 {
                let top: Double = [0x80, 0x300, 0x3000, 0x1_0000, 0x2_0000, 0x11_0000][Int(random.unit * 6)]
                if let scalar = Unicode.Scalar(UInt32(random.unit * top)) { text.append(scalar) }
            }
            let safe = TerminalText.safe(String(text))
            #expect(!safe.unicodeScalars.contains { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) || $0.properties.generalCategory == .format })
            let columns = Int(random.unit * 30)
            #expect(TerminalText.width(of: TerminalText.fitted(safe, to: columns)) == columns)
        }
    }

    @Test("a line is cut where the terminal ends, styles and all")
    func line() {
        var line = ScreenLine("abc", .bold)
        line.append("日本", .red)
        line.append("de")
        #expect(line.cut(to: 6).codes(isColored: true) == "\u{1B}[1mabc\u{1B}[0m\u{1B}[31m日…\u{1B}[0m")
        #expect(line.cut(to: 4).text == "abc…" && line.cut(to: 8).text == "abc日本…" && line.cut(to: 9) == line && line.cut(to: 1).text == "…")
        #expect(line.cut(to: 100) == line && line.codes(isColored: false) == "abc日本de")
        #expect(line.cut(to: 0).text == "")
    }

    @Test("a curve shows the largest values as full blocks, and nothing where nothing is known")
    func curve() {
        #expect(Sparkline.text([nil, 0, 1, 4, 8, 7.9]) == " ▁▂▅██")
        #expect(Sparkline.text([0, 0]) == "▁▁" && Sparkline.text([]) == "")
        #expect(Sparkline.text([.infinity, .nan, nil]) == "   ")
    }
}

@Suite("Keys of a terminal")
struct KeyReaderTests {
    @Test(
        "are read from its bytes",
        arguments: [
            ("q?", [Key.character("q"), .character("?")]), ("\u{1B}[A\u{1B}OB\u{1B}[C\u{1B}[D", [.up, .down, .right, .left]),
            ("\u{1B}[5~\u{1B}[6~\u{1B}[H\u{1B}[F\u{1B}[1~\u{1B}[4~", [.pageUp, .pageDown, .home, .end, .home, .end]),
            ("\r\n\u{7F}\u{8}", [.enter, .enter, .backspace, .backspace]), ("\u{3}\u{1A}", [.control("c"), .control("z")]), ("\u{1B}", [.escape]),
            ("\u{1B}\u{1B}[A", [.escape, .up]), ("é日", [.character("é"), .character("日")]), ("\u{1B}[99;5~x", [.character("x")]),
            ("\u{1B}xq", [.character("q")]),
            ("\0", []),
        ])
    func keys(text: String, keys: [Key]) {
        var reader = KeyReader()
        #expect(reader.read(text.utf8) == keys)
    }

    @Test("are whole even if their bytes come in parts")
    func parts() {
        var reader = KeyReader()
        #expect(reader.read([0x1B, UInt8(ascii: "[")]) == [])
        #expect(reader.read([UInt8(ascii: "B"), 0xE6, 0x97]) == [.down])
        #expect(reader.read([0xA5]) == [.character("日")])
    }

    @Test("no bytes are too much for it")
    func anything() {
        var random = SplitMix(state: 2)
        var reader = KeyReader()
        for _ in 0..<2_000 { _ = reader.read((0..<Int(random.unit * 40)).map { _ in UInt8(random.unit * 256) }) }
        _ = reader.read(Array(repeating: UInt8(ascii: "["), count: 1) + Array(repeating: 0x1B, count: 100))
        _ = reader.read([0x1B, UInt8(ascii: "[")] + Array(repeating: UInt8(ascii: "1"), count: 200))
        #expect(reader.read([0x1B]).last == .escape)
    }
}
