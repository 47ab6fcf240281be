import Foundation
import Sluice
import SluiceCEL
import Testing

@testable import SluiceRecords

@Suite("What closing stages have taken in")
struct ClosingIntakeTests {
    private func verb() throws -> Sort {
        var checking = Checking(label: "sort")
        let by = Argument.keys(Arguments(["desc": .leaf(Leaf("n"))]))
        let place = TextPlace(TextPosition(line: 1, column: 1))
        return try #require(Sort(.keys(Arguments(["by": .list([by], place)])), options: Arguments(), &checking))
    }

    private func plan() throws -> Plan {
        let inputs = [InputFile(path: "a.jsonl", size: 0), InputFile(path: "b.jsonl", size: 0)]
        return Plan(
            RecordPipeline(
                name: "test", definition: "sha256:0", source: SourceSettings(FileSource(inputs), format: JSONL()),
                stages: [RecordStage(name: "order", verb: try verb())], sink: SinkSettings(FileSink(PathTemplate(pieces: [.text("out.jsonl")]))),
                deadLetters: "dead.jsonl"))
    }

    private typealias Place = ClosingIntake.Place

    /// Lets the stage take a batch of three records, one of which has no sort key.
    private func take(_ place: Place, in plan: Plan) throws -> RecordBatch {
        let number = 10 * place.input + place.batch
        let lines = ["{\"n\":\(number)}", "{\"other\":1}", "{\"n\":\(100 - number)}"]
        let bytes = ByteBuffer(capacity: 100)
        let source = Batch(bytes: bytes, input: place.input, offset: UInt64(1000 * place.batch), line: 1)
        source.number = place.batch
        for line in lines {
            source.frames.append(Frame(start: UInt32(bytes.count), count: UInt32(line.utf8.count), lineDelta: 0))
            var line = line
            line.withUTF8 { bytes.append($0) }
        }
        let batch = SourceStage(plan, scratches: ScratchPool(most: 4, room: 1 << 30)).decode(source)
        let intake = try #require(plan.intake(of: plan.stages[0]))
        guard case .closing(let stage) = batch.stretch.stage(0) else { throw CheckpointError("not a closing stage") }
        try intake.take(batch, with: stage, isResumable: true)
        return batch
    }

    private func results(of plan: Plan) throws -> [String] {
        guard case .closing(let step) = plan.stages[0].step, let segment = plan.segment(after: plan.stages[0]) else { return [] }
        let batches = ResultBatches(of: step, plan.stages[0], plan, ScratchPool(most: 4, room: 1 << 30))
        var lines: [String] = []
        while let batch = try batches.next() {
            for row in batch.rows { lines.append(segment.stretch.fields.json(Int(row), of: batch).withFilled { String(decoding: $0, as: UTF8.self) }) }
        }
        return lines
    }

    private static let all = (0..<2).flatMap { input in (0..<4).map { Place(input: input, batch: $0) } }

    @Test("a batch ahead of the cut is named, and is not taken in twice", arguments: 0..<20 as Range<UInt64>)
    func ahead(seed: UInt64) throws {
        let whole = try plan()
        for place in Self.all { _ = try take(place, in: whole) }
        let expected = try results(of: whole)
        #expect(expected.count == 16)

        var random = Seeded(seed)
        let cut = Checkpoint.Cut(input: Int(random.next() % 2), batches: Int(random.next() % 4))
        let ahead = Self.all.filter { !cut.covers($0) && random.next() % 2 == 0 }
        let first = try plan()
        for place in (Self.all.filter { cut.covers($0) } + ahead).shuffled(using: &random) { _ = try take(place, in: first) }
        let states = try #require(try first.closingStates(at: cut))
        #expect(states.count == 1 && states[0].ahead == ahead)

        let second = try plan()
        let intake = try #require(second.intake(of: second.stages[0]))
        try intake.restore(StageState(bytes: states[0].step.state.withBytes(Array.init)), ahead: states[0].ahead)
        for place in Self.all.filter({ !cut.covers($0) }).shuffled(using: &random) {
            let batch = try take(place, in: second)
            // The counts and dead letters are those of a batch that is seen for the first time.
            #expect(batch.counts[1] == StageCounts(in: 3, dead: 1, absorbed: 2))
            #expect(batch.rows.isEmpty)
        }
        #expect(try results(of: second) == expected)
    }

    @Test("there is no checkpoint once results are returned")
    func closed() throws {
        let plan = try plan()
        _ = try take(Place(input: 0, batch: 0), in: plan)
        let cut = Checkpoint.Cut(input: 0, batches: 1)
        #expect(try plan.closingStates(at: cut)?.count == 1)
        plan.intake(of: plan.stages[0])?.close()
        #expect(try plan.closingStates(at: cut) == nil)
    }
}
