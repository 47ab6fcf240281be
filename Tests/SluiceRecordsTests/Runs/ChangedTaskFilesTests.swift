import Foundation
import Sluice
import SluiceCEL
import Testing

@testable import SluiceRecords

/// Files of plans and tasks whose checksums are right, but whose contents cannot be.
@Suite("Impossible files of plans and tasks")
struct ChangedTaskFilesTests {
    private static func folder(tasks: Int, lines: String, ends: [Int]) throws -> (RunFolder, PlanFolder, TaskPlan) {
        let folder = try RunFolder()
        var plan = TaskPlan(folder.pipeline([], []), file: "x.yaml", text: "", settings: [:], state: "state", tasks: tasks)
        plan.inputs = 2
        try folder.write(lines.utf8, to: "inputs.jsonl")
        try folder.write(([0] + ends).flatMap { end in (0..<8).map { UInt8(truncatingIfNeeded: end >> (8 * $0)) } }, to: "inputs.index")
        return (folder, PlanFolder(folder.path), plan)
    }

    @Test("more tasks than there are lines are refused at once", arguments: [2, Int.max])
    func tasks(count: Int) throws {
        let line = #"{"task":0,"before":0,"inputs":[]}"# + "\n"
        let (folder, place, plan) = try Self.folder(tasks: count, lines: line, ends: [line.utf8.count])
        defer { folder.remove() }
        #expect(throws: RunError.self) { try place.change(since: plan) }
        #expect(throws: RunError.self) { try place.inputs(of: count - 1, in: plan) }
        #expect(try place.inputs(of: 0, in: plan).inputs == [])
    }

    @Test("sizes whose sum no number can hold are refused")
    func sizes() throws {
        let input = #"{"path":"/a","name":"a","size":\#(Int.max),"modified":0,"ends":"\#(String(repeating: "0", count: 64))"}"#
        let line = #"{"task":0,"before":0,"inputs":[\#([input, input, input].joined(separator: ","))]}"# + "\n"
        let (folder, place, plan) = try Self.folder(tasks: 1, lines: line, ends: [line.utf8.count])
        defer { folder.remove() }
        #expect(throws: RunError.self) { try place.inputs(of: 0, in: plan) }
    }

    @Test("a spilled record names a file of its task, and no other", arguments: ["spilled-0-5.gz", "spilled-/../../x.gz", "x.gz", ""])
    func spilled(name: String) throws {
        var writer = StateWriter()
        for number in [0, 0, 0, 5, 1, 300, 0, 1] { writer.write(number) }
        writer.write(name)
        writer.write(0)
        var reader = StateReader(writer.bytes)
        guard name != "spilled-0-5.gz" else {
            #expect(try reader.spilledRecord().spill == name)
            return
        }
        #expect(throws: CheckpointError.self) { try reader.spilledRecord() }
    }

    @Test("numbers that sums have no room for are refused")
    func numbers() throws {
        var writer = StateWriter()
        for _ in 0..<7 { writer.write(1 << 60) }
        var reader = StateReader(writer.bytes)
        #expect(throws: CheckpointError.self) { try reader.counts() }
    }

    @Test("a batch of an input, a sink or a stage that the run has not, with records beyond its end, or with another number of letters, is impossible")
    func batch() {
        func batch(
            input: Int? = 0, sink: Int = 0, places: Int = 3, ends: [Int] = [], letters: [EncodedDeadLetter] = [], dead: Int = 0
        ) -> EncodedBatch {
            let bytes = ByteBuffer(capacity: 4)
            bytes.append("abcd")
            let output = EncodedOutput(sink: sink, path: "a", head: [], bytes: bytes, block: nil, records: 2, ends: ends)
            return EncodedBatch(
                input: input, outputs: [output], deadLetters: letters, counts: Array(repeating: StageCounts(), count: places - 1) + [StageCounts(dead: dead)],
                timeouts: Array(repeating: 0, count: places), codes: [:], damage: [], textBytes: 0, compressedBytes: 0)
        }
        let line = ByteBuffer(capacity: 3)
        line.append("{}\n")
        func block(_ records: Int) -> EncodedDeadLetter { .block(line, TextChecksum(crc: 0, count: 3), records: records) }
        let record = SpilledRecord(beforeFrame: 0, position: Position(member: 0, offset: 0, line: 1), byteCount: 9, isUTF8: true, spill: "spilled-0-5.gz")
        let spilled = EncodedDeadLetter.spilled(record, stage: "source", failure: RecordFailure(code: "x", message: "x"))
        let possible = [
            batch(), batch(ends: [2, 4]), batch(sink: 1), batch(letters: [.lines(line)], dead: 1), batch(letters: [block(2), spilled], dead: 3),
        ]
        #expect(possible.allSatisfy { $0.isPossible(ofInputs: 1, sinks: 2, places: 3) })
        let impossible = [
            batch(input: nil), batch(input: 1), batch(sink: 2), batch(places: 2), batch(ends: [2, 5]), batch(ends: [3, 2]), batch(letters: [.lines(line)]),
            batch(letters: [.lines(line)], dead: 2), batch(letters: [spilled]), batch(letters: [block(.max), block(.max), block(2)]),
        ]
        for batch in impossible { #expect(!batch.isPossible(ofInputs: 1, sinks: 2, places: 3), "\(batch)") }
    }

    /// Runs the only task of a plan, and gathers its result before and after its batches are
    /// changed.
    private static func gather(_ stages: [RecordStage], changing change: (Plan, SpooledBatches, BatchSpool) throws -> Void) async throws -> RunReport {
        let folder = try RunFolder()
        defer { folder.remove() }
        let input = try folder.write("{\"n\":1}\n{\"n\":2}\n{\"n\":2}\n".utf8, to: "in.jsonl")
        let pipeline = folder.pipeline([input], stages)
        let place = PlanFolder(folder.path + "/plan")
        let made = TaskPlan(pipeline, file: "x.yaml", text: "", settings: [:], state: folder.path + "/state", tasks: 1)
        let plan = try place.create(made, of: [input], tables: [], typesFromFirst: false).0
        let inputs = try place.inputs(of: 0, in: plan)
        let attempt = try TaskAttempt(inputs, of: plan, in: place)
        let done = try await RecordRun(pipeline.reading(inputs, of: plan), options: RunOptions(workers: 1, state: attempt.path)).run(attempt)
        let bytes = try #require(done).0.bytes
        func gathered() async throws -> RunReport {
            let gathered = try GatheredTasks(plan, try place.allInputs(of: plan), in: place)
            return try await RecordRun(pipeline, options: RunOptions(workers: 1, state: plan.state), gathering: gathered).run()
        }
        #expect(try await gathered().status == .complete)
        let batches = try SpooledBatches(in: place.committed(0), bytes: bytes)
        try FileManager.default.removeItem(atPath: "\(place.committed(0))/\(BatchSpool.name)")
        let spool = try BatchSpool(in: place.committed(0))
        try change(Plan(pipeline), batches, spool)
        try note(spool.bytes, in: "\(place.committed(0))/\(TaskResult.name)")
        return try await gathered()
    }

    /// Writes the size of the batches to the result, so that it does not give the change away.
    private static func note(_ bytes: Int, in path: String) throws {
        let text = try String(contentsOfFile: path, encoding: .utf8)
        var result = try JSONDecoder().decode(TaskResult.self, from: Data(text.utf8))
        result.bytes = bytes
        result.starts?.indices.last.map { result.starts?[$0] = bytes }
        try JSONEncoder().encode(result).write(to: URL(fileURLWithPath: path))
    }

    @Test("batches whose books do not balance are refused, with the task to run again")
    func books() async throws {
        let report = try await Self.gather([]) { _, batches, spool in
            while var batch = try batches.next() {
                batch.counts[0].in += 1
                try spool.append(batch)
            }
        }
        #expect(report.status == .failed)
        #expect(report.error?.hasSuffix("cannot be those of the task; remove it, and run task 0 again") == true, "\(report.error ?? "")")
    }

    /// What a task cannot have left of three records, to a pipeline with `dedupe` and `head`.
    enum Change: CaseIterable {
        case none, received, passed, absorbed, passedLater, more, letter, letterElsewhere, filteredTwice, filteredUnseen, noFates, order

        func make(in batch: RecordBatch) {
            switch self {
            case .none: break
            case .received: batch.counts[0].in += 1
            case .passed: batch.counts[0].out += 1
            case .absorbed: batch.counts[0] += StageCounts(absorbed: 32)
            case .passedLater: batch.counts[1] += StageCounts(in: 3, out: 3)
            case .letter:
                batch.note(.dead, 2, at: 0)
                batch.counts[0] += StageCounts(out: -1, dead: 1)
                batch.rows.removeLast()
            case .more:
                batch.note(.filtered, 0, at: 0)
                batch.counts[0] += StageCounts(in: 1, filtered: 1)
            case .letterElsewhere:
                batch.note(.dead, 2, at: 0)
                batch.counts[0] += StageCounts(out: -1, dead: 1)
                batch.rows.removeLast()
                batch.refuse(RefusedRecord(frame: 1), at: "source", with: RecordFailure(code: "x", message: "x"))
            case .noFates: batch.resume(rows: batch.rows, counts: batch.counts, timeouts: batch.timeouts, deadLetters: [], fates: nil)
            case .filteredTwice:
                for _ in 0..<2 { batch.note(.filtered, 1, at: 0) }
                batch.counts[0] += StageCounts(out: -2, filtered: 2)
                batch.rows.removeLast(2)
            case .filteredUnseen:
                batch.counts[0] += StageCounts(out: -1, filtered: 1)
                batch.rows.removeLast()
            case .order: batch.rows.swapAt(0, 1)
            }
        }
    }

    @Test("records whose books do not balance are refused, with the file of the task", arguments: Change.allCases)
    func booksOfRecords(change: Change) async throws {
        var checking = Checking(label: "test")
        let place = TextPlace(TextPosition(line: 1, column: 1))
        let dedupe = try #require(Dedupe(.keys(Arguments(["by": .list([.leaf(Leaf("n"))], place)])), options: Arguments(), &checking))
        let head = try #require(Head(.integer(2, place), options: Arguments(), &checking))
        let stages = [RecordStage(name: "dedupe", verb: dedupe), RecordStage(name: "head", verb: head)]
        let report = try await Self.gather(stages) { plan, batches, spool in
            let letters = DeadLetterEncoder(pipeline: "test", definition: "sha256:0", inputs: [InputFile(path: "in.jsonl")], codec: nil)
            while let batch = try batches.next({ (reader) throws(CheckpointError) in
                try reader.recordBatch(
                    of: plan, endingBefore: 1, scratch: Scratch(reader: JSONReader.ofExpressions), inputs: 0..<1, most: 1 << 20
                ) { $0 }
            }) {
                change.make(in: batch)
                try spool.append(batch, of: plan, letters)
            }
        }
        guard change != .none else {
            #expect(report.status == .complete)
            return
        }
        #expect(report.status == .failed)
        #expect(report.error?.hasSuffix("it was changed since it was written; remove the task's folder, and run the task again") == true)
    }
}
