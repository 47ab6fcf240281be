import Foundation
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

    @Test(
        "rates are never nothing of something",
        arguments: [(0, "0"), (0.001, "<0.1"), (0.44, "0.4"), (9, "9"), (9.96, "10"), (1_234.6, "1,235")])
    func rates(perSecond: Double, text: String) {
        #expect(Figures.rate(perSecond) == text)
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
        records: 1_234_567, deadLetters: 3, share: 0.45, bytesPerSecond: 312e6, secondsLeft: 11)

    @Test("shows records, rate, share, time left and dead letters")
    func says() {
        #expect(line.text == "1,234,567 records  312 MB/s  45 %  ETA 0:11  3 dead")
    }

    @Test("shows records that stages have finished and that are not committed")
    func inside() {
        var line = line
        line.inStages = 45
        #expect(line.text.hasPrefix("1,234,567 records (45 more in stages)  312 MB/s"))
    }

    @Test("omits what is unknown for standard input")
    func standardInput() {
        var line = line
        (line.share, line.secondsLeft) = (nil, nil)
        #expect(line.text == "1,234,567 records  312 MB/s  3 dead")
    }

    @Test("has no rate before anything is committed")
    func begins() {
        let line = ProgressLine(records: 0, inStages: 12, deadLetters: 0, share: 0.02, bytesPerSecond: nil)
        #expect(line.text == "0 records (12 more in stages)  2 %  0 dead")
        #expect(line.entry["sluice.bytes_per_second"] == LogEntry.Value.none)
        #expect(self.line.entry["sluice.bytes_per_second"] == .integer(312_000_000))
    }

    @Test("says that the run is finishing once all input is read")
    func finishing() {
        var line = line
        line.share = 1
        #expect(line.text == "1,234,567 records  312 MB/s  100 %  finishing  3 dead")
    }

    @Test("never wraps on a narrow terminal")
    func narrow() {
        #expect(line.overwriting(width: 20) == "\r\u{1B}[2K1,234,567 records  ")
    }
}

@Suite("A rate of what grows in leaps")
struct SteadyRateTests {
    /// What is said at each look, of a total of 10 a second that grows by so much at once.
    private static func said(
        every leap: Double, look: Double, over least: Double, until end: Double, stopsAt stop: Double = .infinity
    ) -> [(Double, Double?)] {
        var rate = SteadyRate(over: least)
        return stride(from: 0, through: end, by: look).map { seconds in
            rate.note((min(seconds, stop) / leap).rounded(.down) * leap * 10, at: seconds)
            return (seconds, rate.perSecond)
        }
    }

    @Test("is right and never nothing after the first leap, however far apart they are", arguments: [0.25, 1, 3, 20], [0.25, 1])
    func isRight(leap: Double, look: Double) throws {
        for (seconds, said) in Self.said(every: leap, look: look, over: 2, until: 100) where seconds >= max(leap, look) {
            let rate = try #require(said)
            #expect(abs(rate - 10) < 0.01, "at \(seconds)")
        }
    }

    @Test("is not known before the first leap")
    func early() {
        for (seconds, said) in Self.said(every: 20, look: 1, over: 2, until: 19) { #expect(said == nil, "at \(seconds)") }
    }

    @Test("falls once a leap is later than any was")
    func falls() throws {
        let said = Self.said(every: 3, look: 1, over: 2, until: 600, stopsAt: 60).filter { $0.0 >= 60 }.compactMap { $0.1 }
        #expect(said.prefix(4).allSatisfy { abs($0 - 10) < 0.01 })
        #expect(zip(said.dropFirst(4), said.dropFirst(5)).allSatisfy { $0 > $1 })
        let last = try #require(said.last)
        #expect(last < 0.2)
    }

    @Test("follows a change within the time that it is taken over")
    func follows() throws {
        var rate = SteadyRate(over: 10)
        for second in 0...50 { rate.note(Double(second) * 10, at: Double(second)) }
        for second in 51...60 { rate.note(500 + Double(second - 50) * 30, at: Double(second)) }
        let perSecond = try #require(rate.perSecond)
        #expect(abs(perSecond - 30) < 0.01)
    }
}

@Suite("The time left")
struct TimeLeftTests {
    /// A run as it was or could be: its pace at each share of the input, in shares per second.
    static let runs: [(name: String, pace: @Sendable (Double, inout SplitMix) -> Double)] = [
        ("steady", { _, _ in 1 / 60 }),
        ("uneven", { _, random in (0.5 + random.unit) / 100 }),
        ("in bursts, as inputs are committed in order", { share, _ in (share * 50).truncatingRemainder(dividingBy: 1) < 0.5 ? 1 / 30 : 1 / 300 }),
        ("slow to begin", { share, _ in share < 0.005 ? 1 / 400 : 1 / 60 }),
        ("slower and slower, by a quarter in all", { share, _ in (1 - share / 4) / 60 }),
    ]

    @Test("is right within a fifth after a tenth of the run, from the start or resumed", arguments: runs.indices, [0, 0.6])
    func isRight(run: Int, start: Double) throws {
        for seed in 1...8 {
            var random = SplitMix(state: UInt64(seed))
            var marks: [(seconds: Double, share: Double)] = [(0, start)]
            while let last = marks.last, last.share < 1 {
                marks.append((last.seconds + 0.1, min(1, last.share + 0.1 * Self.runs[run].pace(last.share, &random))))
            }
            let whole = try #require(marks.last?.seconds)
            var left = TimeLeft()
            for mark in marks.dropLast() {
                let said = left.next(share: mark.share, at: mark.seconds)
                guard mark.seconds >= whole / 10, whole - mark.seconds > 2 else { continue }
                let seconds = try #require(said)
                let truth = whole - mark.seconds
                // Of the whole run, as nobody minds seconds at its end.
                #expect(abs(seconds - truth) <= 0.2 * max(truth, whole / 4), "\(Self.runs[run].name) at \(mark.share): said \(seconds), was \(truth)")
            }
        }
    }

    /// What `Tests/Recorded/record.py` wrote: milliseconds and millionths of the input that was
    /// read.
    struct Recorded: Decodable {
        var milliseconds: Int
        var series: [[Int]]
    }

    static let recorded = URL(filePath: #filePath).appending(path: "../../Recorded").standardized

    @Test(
        "is right within a fifth after a tenth of a run that was recorded",
        arguments: ["steady", "large-last", "days"])
    func isRightAsRecorded(name: String) throws {
        let run = try JSONDecoder().decode(Recorded.self, from: Data(contentsOf: Self.recorded.appending(path: "\(name).json")))
        let whole = Double(run.milliseconds) / 1000
        var left = TimeLeft()
        var said = 0
        for row in run.series {
            let at = Double(row[0]) / 1000
            let seconds = left.next(share: Double(row[1]) / 1_000_000, at: at)
            guard at >= whole / 10, row[1] < 1_000_000, let seconds else { continue }
            let truth = whole - at
            #expect(abs(seconds - truth) <= 0.2 * max(truth, whole / 4), "at \(at) of \(whole) s: said \(seconds), was \(truth)")
            said += 1
        }
        #expect(said >= 10)
    }

    @Test("says nothing before it knows anything")
    func tooEarly() {
        var left = TimeLeft()
        #expect(left.next(share: 0.3, at: 0.1) == nil)
        #expect(left.next(share: 0.3, at: 5) == nil)
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014).
struct SplitMix {
    var state: UInt64

    var unit: Double {
        mutating get {
            state &+= 0x9E37_79B9_7F4A_7C15
            var bits = state
            bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
            bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
            return Double((bits ^ (bits >> 31)) >> 11) / Double(UInt64(1) << 53)
        }
    }
}
