import Foundation
import Sluice
import SluiceCEL

@testable import SluiceRecords

/// Reads bytes as files that Sluice has written itself: dead letters, checkpoints, journals,
/// reports and the states of stages.
struct StateFuzzer: Fuzzer {
    static let name = "state"

    private let folder: String
    private let steps: [@Sendable () -> Step?]

    init() {
        folder = NSTemporaryDirectory() + "sluice-fuzz-\(ProcessInfo.processInfo.processIdentifier)"
        try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let place = TextPlace(TextPosition(line: 1, column: 1))
        func entries(_ values: [(String, String)]) -> Argument { .entries(values.map { (Leaf($0.0), .leaf(Leaf($0.1))) }, place) }
        let summary = Argument.keys(
            Arguments([
                "by": entries([("k", "k")]),
                "values": entries([
                    ("count", "count()"), ("sum", "sum(n)"), ("p90", "p90(n)"), ("kinds", "distinct(t)"), ("first", "first(n)"), ("top", "top(t, 2)"),
                    ("min", "min(t)"),
                    ("mean", "mean(n)"),
                ]),
            ]))
        let sort = Argument.keys(Arguments(["by": .list([.keys(Arguments(["asc": .leaf(Leaf("n"))]))], place)]))
        let dedupe = Argument.keys(Arguments(["by": .list([.leaf(Leaf("n"))], place)]))
        steps = [
            { Self.step(Summarize.self, summary) }, { Self.step(Sort.self, sort) }, { Self.step(Dedupe.self, dedupe) },
            { .ordered(HeadStep(10)) },
        ]
    }

    private static func step(_ verb: (some Verb).Type, _ argument: Argument) -> Step? {
        var checking = Checking(label: "fuzz")
        guard let verb = verb.init(argument, options: Arguments(), &checking) else { preconditionFailure("\(checking.diagnostics)") }
        return verb.makeStep(RecordStage(name: "fuzz", verb: verb))
    }

    var seeds: [[UInt8]] {
        let letter = """
            {"pipeline":"p","definition":"sha256:0","stage":"source","error":{"code":"parse.jsonl","message":"m 'x' 12"},"attempts":1,"source":{"file":"a.gz","member":0,"offset":5,"line":2},"raw":"x"}
            """
        let report = #"{"schema":1,"pipeline":"p","status":"complete","records":{"read":1},"inputs":[],"stages":[],"outputs":[]}"#
        var seeds: [[UInt8]] = [[0] + Array(letter.utf8), [1] + Array(report.utf8), [2] + Array(report.utf8), [3] + Array(report.utf8)]
        for (index, step) in steps.enumerated() {
            switch step() {
            case .ordered(let step)?: if let state = try? step.checkpoint() { seeds.append([UInt8(4 + index)] + state.bytes) }
            case .closing(let step)?: if let state = try? step.checkpoint() { seeds.append([UInt8(4 + index)] + state.bytes) }
            default: break
            }
        }
        return seeds
    }

    func run(_ bytes: [UInt8]) {
        guard let first = bytes.first else { return }
        let rest = Array(bytes.dropFirst())
        switch first % 8 {
        case 0:
            var triage = DeadLetterTriage(examples: 2)
            let line = ByteBuffer(capacity: rest.count)
            rest.withUnsafeBufferPointer { line.append($0) }
            line.withFilled { bytes in
                if let letter = try? MetDeadLetter(line: bytes, of: "f", number: 1) { triage.add(letter) }
            }
            _ = triage.sorted
        case 1:
            write(rest)
            _ = try? RunReport(contentsOf: folder + "/file")
        case 2: read(Checkpoint.self, rest)
        case 3: read(Journal.self, rest)
        case let number: restore(steps[Int(number) - 4](), rest)
        }
    }

    private func write(_ bytes: [UInt8]) {
        require(FileManager.default.createFile(atPath: folder + "/file", contents: Data(bytes)), "cannot write to \(folder)")
    }

    private func read(_ type: (some Decodable).Type, _ bytes: [UInt8]) {
        write(bytes)
        _ = try? StateFile("file", in: folder).read(type)
    }

    /// A state that is accepted can be used.
    private func restore(_ step: Step?, _ bytes: [UInt8]) {
        let state = StageState(bytes: bytes)
        switch step {
        case .ordered(let step)?:
            guard (try? step.restore(state)) != nil else { return }
            _ = try? step.checkpoint()
        case .closing(let step)?:
            guard (try? step.merge(state)) != nil else { return }
            _ = try? step.checkpoint()
            _ = try? step.results()
        default: break
        }
    }
}
