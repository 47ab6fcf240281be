import FoundationEssentials
import SluiceRecords

/// Everything that the page of a run shows.
struct PageModel: Encodable {
    struct Sentence: Encodable, Equatable {
        enum Kind: String, Encodable {
            case good, bad, slow, plain
        }

        var kind: Kind
        var text: String
    }

    /// Where the time of a step went, in seconds.
    struct Step: Encodable, Equatable {
        var name: String
        /// Among the steps of the samples.
        var index: Int
        var workers: Int
        var busy: Double
        var waited: Double
        var available: Double
        var queued: Double
    }

    /// The numbers of inputs and outputs that a page lists.
    static let listed = 5_000

    private(set) var report: RunReport
    /// How the run ended, or `unfinished`.
    let status: String
    let samples: RunSamples?
    let sentences: [Sentence]
    let steps: [Step]
    /// The stage that the run waited for.
    let slow: String?
    let letters: PageLetters
    let inputCount: Int
    let outputCount: Int
    let damageCount: Int
    let made: String

    /// - Parameters:
    ///   - samples: those of this run.
    ///   - letters: its dead letters.
    ///   - made: what made the page, and when.
    init(_ report: RunReport, samples: RunSamples?, letters: PageLetters, made: String) {
        let samples = samples.flatMap { $0.samples.isEmpty ? nil : $0 }
        let bottleneck = samples.map { Bottleneck($0) }
        self.samples = samples
        status = report.status.rawValue
        self.letters = letters
        self.made = made
        sentences =
            [PageSentences.ending(of: report), PageSentences.losses(of: report)].compactMap(\.self)
            + (bottleneck.map { [Sentence(kind: .slow, text: PageSentences.text(of: $0))] } ?? [])
        slow = bottleneck?.stage
        steps = samples.map(Self.steps) ?? []
        (inputCount, outputCount) = (report.inputs.count, report.outputs.count)
        damageCount = report.inputs.reduce(0) { $0 + $1.damage.count }
        self.report = report
        self.report.digest = report.digest ?? report.ownDigest
        if report.inputs.count > Self.listed {
            let sorted = report.inputs.enumerated().sorted { (Self.losses($1.element), $0.offset) < (Self.losses($0.element), $1.offset) }
            self.report.inputs = sorted.prefix(Self.listed).map(\.element)
        }
        self.report.outputs = Array(report.outputs.prefix(Self.listed))
    }

    /// The page of a run that has not come to its end.
    ///
    /// - Parameter samples: at least one.
    init(unfinished samples: RunSamples, made: String) {
        let report = RunReport(unfinished: samples)
        self.report = report
        self.samples = samples
        self.made = made
        status = "unfinished"
        letters = PageLetters()
        let bottleneck = Bottleneck(samples)
        sentences = [
            PageSentences.unfinished(report, samples), Sentence(kind: .slow, text: PageSentences.text(of: bottleneck)),
        ]
        slow = nil
        steps = Self.steps(samples)
        (inputCount, outputCount, damageCount) = (0, 0, 0)
    }

    private static func steps(_ samples: RunSamples) -> [Step] {
        samples.times.enumerated().map { index, times in
            Step(
                name: PageSentences.name(of: times.step), index: index, workers: times.step.workers, busy: times.busy, waited: times.waited,
                available: times.available, queued: times.queued)
        }
    }

    private static func losses(_ input: RunReport.Input) -> Int { input.dead + input.damage.count }

    /// As JSON that cannot end the element that it is in: no `<`, `>` or `&` is left in it, nor a
    /// character that scripts take for the end of a line.
    var json: [UInt8] {
        get throws {
            let encoder = JSONEncoder()
            encoder.keyEncodingStrategy = .convertToSnakeCase
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return Self.escaped(Array(try encoder.encode(self)))
        }
    }

    /// - Parameter json: JSON, in which these characters are in texts only.
    static func escaped(_ json: [UInt8]) -> [UInt8] {
        var escaped: [UInt8] = []
        escaped.reserveCapacity(json.count)
        var index = 0
        while index < json.count {
            switch json[index] {
            case UInt8(ascii: "<"): escaped += Array(#"\u003c"#.utf8)
            case UInt8(ascii: ">"): escaped += Array(#"\u003e"#.utf8)
            case UInt8(ascii: "&"): escaped += Array(#"\u0026"#.utf8)
            // U+2028 and U+2029.
            case 0xE2 where json[index...].starts(with: [0xE2, 0x80, 0xA8]) || json[index...].starts(with: [0xE2, 0x80, 0xA9]):
                escaped += Array((json[index + 2] == 0xA8 ? #"\u2028"# : #"\u2029"#).utf8)
                index += 2
            default: escaped.append(json[index])
            }
            index += 1
        }
        return escaped
    }
}
