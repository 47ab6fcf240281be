import FoundationEssentials
import SluiceRecords

/// `GET /status`.
struct LiveStatus: Encodable {
    struct Stage: Encodable, Equatable {
        var name: String
        var kind: RunSamples.Step.Kind
        var workers: Int
        var minWorkers: Int
        var maxWorkers: Int
        /// Batches.
        var queued: Int
        var busyShare: Double
        var recordsOut: Int
        var recordsPassed: Int
        var dead: Int
        var resizable: Bool
    }

    struct DeadLetters: Encodable, Equatable {
        var stage: String
        var code: String
        /// Of the first.
        var message: String
        var count: Int
    }

    /// A value that is `null` where it is unknown, rather than absent.
    struct Known<Value: Encodable>: Encodable {
        var value: Value?

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            if let value { try container.encode(value) } else { try container.encodeNil() }
        }
    }

    /// The most kinds of dead letters that are listed.
    private static let mostKinds = 50
    private static let mostCharacters = 600

    var schema = 1
    var pipeline: String
    var state: LiveView.State
    var began: Double
    var seconds: Double
    var share: Known<Double>
    var etaSeconds: Known<Double>
    var records: Int
    var recordsInStages: Int
    var recordsPerSecond: Known<Double>
    var written: Int
    var dead: Int
    /// Of inputs.
    var damagedPlaces: Int
    /// Those that lost most.
    var damage: [DamagedPlace]
    /// The stage that the run waits for.
    var bottleneck: Known<String>
    var textBytes: Int
    var compressedBytes: Int
    var bytesPerSecond: Known<Double>
    var stages: [Stage]
    var deadLetters: [DeadLetters]
    var report: Known<String>
    var exit: Known<Int32>

    init(_ view: LiveView) {
        let report = view.report
        let last = view.samples.samples.last ?? RunSamples.Sample()
        pipeline = report.pipeline
        state = view.state
        began = view.samples.began
        seconds = view.ended?.report.elapsedSeconds ?? view.samples.seconds
        share = Known(value: view.share)
        etaSeconds = Known(value: view.secondsLeft)
        (records, written, dead) = (report.records.read, report.records.written, report.records.dead)
        (damagedPlaces, damage) = (view.live.damage.count, view.live.damage.worst.map { DamagedPlace($0) })
        bottleneck = Known(value: view.slow)
        (textBytes, compressedBytes) = (last.textBytes, last.compressedBytes)
        recordsInStages = view.recordsInStages
        recordsPerSecond = Known(value: view.rates.recordsPerSecond.map { ($0 * 10).rounded() / 10 })
        bytesPerSecond = Known(value: view.rates.bytesPerSecond.map { $0.rounded() })
        stages = view.steps.map { step in
            Stage(
                name: step.step.name, kind: step.step.kind, workers: step.workers, minWorkers: step.allowed?.lowerBound ?? step.workers,
                maxWorkers: step.allowed?.upperBound ?? step.workers, queued: step.queued, busyShare: (step.busyShare * 1000).rounded() / 1000,
                recordsOut: step.recordsOut(of: report), recordsPassed: max(step.passed ?? 0, step.recordsOut(of: report)), dead: step.stage?.dead ?? 0,
                resizable: step.allowed != nil && view.state != .ended)
        }
        deadLetters = Self.kinds(report)
        self.report = Known(value: view.ended.flatMap { $0.report.digest ?? $0.report.ownDigest })
        exit = Known(value: view.ended?.status.code)
    }

    private static func kinds(_ report: RunReport) -> [DeadLetters] {
        let codes = report.deadLetters.byCode.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        return codes.prefix(mostKinds).map { code, count in
            let first = report.deadLetters.first?[code]
            return DeadLetters(stage: first?.stage ?? "", code: code, message: Figures.shortened(first?.message ?? "", to: mostCharacters), count: count)
        }
    }

    var json: [UInt8] {
        get throws {
            let encoder = JSONEncoder()
            encoder.keyEncodingStrategy = .convertToSnakeCase
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return Array(try encoder.encode(self)) + [UInt8(ascii: "\n")]
        }
    }
}

extension LiveView.Step {
    /// The records that it has passed on, as far as they are committed; 0 if that is not counted.
    func recordsOut(of report: RunReport) -> Int {
        switch step.kind {
        case .reading: report.records.read
        case .writing: report.records.written
        case .stage, .ordered, .own: stage?.out ?? 0
        }
    }
}
