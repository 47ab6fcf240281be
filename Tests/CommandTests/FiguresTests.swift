import Testing

@testable import sluice

@Suite("Figures")
struct FiguresTests {
    @Test("counts have commas", arguments: [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567"), (-12_345, "-12,345")])
    func counts(number: Int, text: String) {
        #expect(Figures.count(number) == text)
    }

    @Test(
        "bytes have three digits and a unit",
        arguments: [
            (0, "0 B"), (999, "999 B"), (1000, "1.00 kB"), (9_999, "10.0 kB"), (123_456, "123 kB"), (999_600, "1.00 MB"), (5_000_000_000_000_000, "5000 TB"),
        ])
    func bytes(number: Int, text: String) {
        #expect(Figures.bytes(number) == text)
    }

    @Test(
        "times go from seconds to hours",
        arguments: [(0.424, "0.42 s"), (9.999, "10.00 s"), (12.34, "12.3 s"), (187, "3:07"), (7387, "2:03:07"), (.infinity, "?")])
    func seconds(number: Double, text: String) {
        #expect(Figures.seconds(number) == text)
    }

    @Test("columns line up, and lines end without spaces")
    func columns() {
        var columns = Columns("stage", "in", "")
        columns.append(["keep", "1,000", "2"])
        columns.append(["all"])
        #expect(columns.text == "  stage     in\n  keep   1,000  2\n  all\n")
    }
}

@Suite("The progress line")
struct ProgressLineTests {
    let line = ProgressLine(
        records: 1_234_567, deadLetters: 3, compressedRead: 45_000, compressedTotal: 100_000, bytesPerSecond: 312e6, elapsedSeconds: 9)

    @Test("shows records, rate, share, time left and dead letters")
    func says() {
        #expect(line.text == "1,234,567 records  312 MB/s  45 %  ETA 0:11  3 dead")
    }

    @Test("omits what is unknown for standard input")
    func standardInput() {
        var line = line
        line.compressedTotal = nil
        #expect(line.text == "1,234,567 records  312 MB/s  3 dead")
    }

    @Test("never wraps on a narrow terminal")
    func narrow() {
        #expect(line.overwriting(width: 20) == "\r\u{1B}[2K1,234,567 records  ")
    }
}
