import Sluice
import SluiceCEL
import Testing

@testable import SluiceRecords

/// Drives a single step: takes batches of lines, and returns the records that pass, or the results
/// at the end, as text.
final class StepHarness {
    private let plan: Plan
    private let source: SourceStage
    private let scratches = ScratchPool(most: 4, room: 1 << 30)
    private(set) var hasEnough = false

    init(_ sample: VerbSample) throws {
        let input = InputFile(path: "in.jsonl", size: 0)
        plan = Plan(
            RecordPipeline(
                name: "test", definition: "sha256:0", source: SourceSettings(FileSource([input]), format: JSONL()),
                stages: [RecordStage(name: "sample", verb: try sample.make())],
                sink: SinkSettings(FileSink(PathTemplate(pieces: [.text("out.jsonl")]))), deadLetters: "dead.jsonl"))
        source = SourceStage(plan, scratches: scratches)
    }

    private var step: Step { plan.stages[0].step }

    var isOrdered: Bool { if case .ordered = step { true } else { false } }
    var isClosing: Bool { if case .closing = step { true } else { false } }

    /// Runs the lines through the step in batches of `batch` lines.
    ///
    /// - Parameter from: the number of the first line in the input.
    /// - Returns: the lines that passed.
    func run(_ lines: [String], batch: Int, from: Int = 0) throws -> [String] {
        var kept: [String] = []
        for start in stride(from: 0, to: lines.count, by: batch) where !hasEnough {
            let records = source.decode(Self.batch(Array(lines[start..<min(start + batch, lines.count)]), line: from + start))
            switch records.stretch.stage(0) {
            case .each: Issue.record("a step without state")
            case .ordered(let stage): hasEnough = try stage.run(records) == .enough
            case .closing(let stage): try stage.take(records, isKnown: false)
            }
            kept += records.rows.map { String(decoding: records.text(Int($0)), as: UTF8.self) }
        }
        return kept
    }

    /// Each line takes up 1,000 bytes of the input, so that a batch's offset is independent of the
    /// lines before it.
    private static func batch(_ lines: [String], line: Int) -> Batch {
        let bytes = ByteBuffer(capacity: 1000 * lines.count)
        let batch = Batch(bytes: bytes, input: 0, offset: UInt64(1000 * line), line: UInt64(line + 1))
        for (index, text) in lines.enumerated() {
            batch.frames.append(Frame(start: UInt32(bytes.count), count: UInt32(text.utf8.count), lineDelta: UInt32(index)))
            var padded = text + String(repeating: "\n", count: 1000 - text.utf8.count)
            padded.withUTF8 { bytes.append($0) }
        }
        return batch
    }

    func checkpoint() throws(RunError) -> StageState {
        switch step {
        case .each: StageState(bytes: [])
        case .ordered(let step): try step.checkpoint()
        case .closing(let step): try step.checkpoint()
        }
    }

    func restore(_ state: StageState) throws(CheckpointError) {
        if case .ordered(let step) = step { try step.restore(state) }
    }

    func merge(_ state: StageState) throws(CheckpointError) {
        if case .closing(let step) = step { try step.merge(state) }
    }

    /// The results of a closing step as JSON lines, read in batches of three.
    func results() throws -> [String] {
        guard case .closing(let step) = step, let segment = plan.segment(after: plan.stages[0]) else { return [] }
        let batches = ResultBatches(of: step, plan.stages[0], plan, scratches, most: 3)
        var lines: [String] = []
        while let batch = try batches.next() {
            for row in batch.rows { lines.append(segment.stretch.fields.json(Int(row), of: batch).withFilled { String(decoding: $0, as: UTF8.self) }) }
        }
        return lines
    }
}
