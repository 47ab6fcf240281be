import FoundationEssentials
import SluiceRecords

/// How a run stands that has not come to its end, by its state folder.
enum UnfinishedRun: Equatable {
    case running
    /// Its process is gone.
    case killed(isResumable: Bool)
}

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

    /// What only the page of a run that goes on shows.
    struct Live: Encodable, Equatable {
        /// The workers of a step, which can be changed.
        struct Control: Encodable, Equatable {
            /// Among the steps of the samples.
            var index: Int
            var name: String
            var workers: Int
            var least: Int
            var most: Int
        }

        /// The name of the last event that the page need not be sent.
        var after: String?
        /// The newest sample, if not all of them are there.
        var row: [Int]?
        /// Of the input, 0 to 1.
        var share: Double?
        var secondsLeft: Double?
        /// Finished by stages with workers of their own, and not committed yet.
        var recordsInStages: Int
        /// `nil` before anything is committed or finished.
        var recordsPerSecond: Double?
        var bytesPerSecond: Double?
        /// Of the inputs.
        var bytesRead: UInt64
        var isDraining: Bool
        var controls: [Control]
        /// The damaged places that lost most.
        var damage: [DamagedPlace]
    }

    /// The numbers of inputs and outputs that a page lists.
    static let listed = 5_000

    private(set) var report: RunReport
    /// How the run ended, or stands; `unfinished` if it went on when the page was made, `killed` if
    /// its process ended without a report.
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
    /// `nil` unless the run goes on.
    private(set) var live: Live?

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
    /// - Parameters:
    ///   - samples: at least one.
    ///   - state: whether it goes on.
    init(unfinished samples: RunSamples, _ state: UnfinishedRun, made: String) {
        let report = RunReport(unfinished: samples)
        self.report = report
        self.samples = samples
        self.made = made
        status = state == .running ? "unfinished" : "killed"
        letters = PageLetters()
        let bottleneck = Bottleneck(samples)
        sentences = [
            PageSentences.unfinished(report, samples, state), Sentence(kind: .slow, text: PageSentences.text(of: bottleneck)),
        ]
        slow = nil
        steps = Self.steps(samples)
        (inputCount, outputCount, damageCount) = (0, 0, 0)
    }

    /// The page of a run that goes on.
    ///
    /// - Parameters:
    ///   - isWhole: whether with all samples, not just the newest.
    ///   - event: the name of the last event, which the page need not be sent again.
    init(_ view: LiveView, isWhole: Bool, after event: String?, made: String) {
        report = view.report
        self.made = made
        status = view.state.rawValue
        samples = isWhole && !view.samples.samples.isEmpty ? view.samples : nil
        letters = PageLetters.soFar(view.report)
        sentences = PageSentences.live(view)
        slow = view.slow
        steps = Self.steps(view.samples)
        (inputCount, outputCount, damageCount) = (view.live.inputs, 0, view.live.damage.count)
        live = Live(
            after: event, row: isWhole ? nil : view.samples.samples.last?.row, share: view.share, secondsLeft: view.secondsLeft,
            recordsInStages: view.recordsInStages, recordsPerSecond: view.rates.recordsPerSecond, bytesPerSecond: view.rates.bytesPerSecond,
            bytesRead: view.live.progress.compressedBytes, isDraining: view.state == .draining,
            controls: view.steps.enumerated().compactMap { index, step in
                step.allowed.map {
                    Live.Control(index: index, name: step.step.name, workers: step.workers, least: $0.lowerBound, most: $0.upperBound)
                }
            }, damage: view.live.damage.worst.map { DamagedPlace($0) })
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
