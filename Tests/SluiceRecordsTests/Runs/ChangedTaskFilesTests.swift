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

    @Test("a batch of an input, a sink or a stage that the run has not, or with records beyond its end, is impossible")
    func batch() {
        func batch(input: Int? = 0, sink: Int = 0, places: Int = 3, ends: [Int] = []) -> EncodedBatch {
            let bytes = ByteBuffer(capacity: 4)
            bytes.append("abcd")
            let output = EncodedOutput(sink: sink, path: "a", head: [], bytes: bytes, block: nil, records: 2, ends: ends)
            return EncodedBatch(
                input: input, outputs: [output], deadLetters: [], counts: Array(repeating: StageCounts(), count: places),
                timeouts: Array(repeating: 0, count: places), codes: [:], damage: [], textBytes: 0, compressedBytes: 0)
        }
        let possible = [batch(), batch(ends: [2, 4]), batch(sink: 1)]
        #expect(possible.allSatisfy { $0.isPossible(ofInputs: 1, sinks: 2, places: 3) })
        let impossible = [batch(input: nil), batch(input: 1), batch(sink: 2), batch(places: 2), batch(ends: [2, 5]), batch(ends: [3, 2])]
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
        #expect(spool.bytes == bytes)
        let report = try await gathered()
        #expect(report.status == .failed)
        return report
    }

    @Test("batches whose books do not balance are refused, with the task to run again")
    func books() async throws {
        let report = try await Self.gather([]) { _, batches, spool in
            while var batch = try batches.next() {
                batch.counts[0].in += 1
                try spool.append(batch)
            }
        }
        #expect(report.error?.hasSuffix("cannot be those of the task; remove it, and run task 0 again") == true, "\(report.error ?? "")")
    }

    @Test(
        "records whose books do not balance are refused, with the file of the task",
        arguments: [StageCounts(in: 1), StageCounts(out: 1), StageCounts(absorbed: 32)])
    func booksOfRecords(more: StageCounts) async throws {
        var checking = Checking(label: "dedupe")
        let by = Argument.list([.leaf(Leaf("n"))], TextPlace(TextPosition(line: 1, column: 1)))
        let verb = try #require(Dedupe(.keys(Arguments(["by": by])), options: Arguments(), &checking))
        let report = try await Self.gather([RecordStage(name: "dedupe", verb: verb)]) { plan, batches, spool in
            let letters = DeadLetterEncoder(pipeline: "test", definition: "sha256:0", inputs: [], codec: nil)
            while let batch = try batches.next({ (reader) throws(CheckpointError) in
                try reader.recordBatch(of: plan, scratch: Scratch(reader: JSONReader.ofExpressions), inputs: 0..<1, most: 1 << 20) { $0 }
            }) {
                batch.counts[0] += more
                try spool.append(batch, of: plan, letters)
            }
        }
        #expect(report.error?.hasSuffix("it was changed since it was written; remove the task's folder, and run the task again") == true)
    }
}
