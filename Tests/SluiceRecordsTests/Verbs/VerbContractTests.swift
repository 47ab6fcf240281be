import Sluice
import SluiceCEL
import Testing

@testable import SluiceRecords

/// The contract of verbs, tested on every verb.
@Suite("The contract of verbs")
struct VerbContractTests {
    struct Run: Sendable, CustomTestStringConvertible {
        var sample: VerbSample
        var policy: FailurePolicy

        var testDescription: String { "\(sample.testDescription) on_error \(policy.rawValue)" }
    }

    static let runs = VerbSample.all.flatMap { sample in FailurePolicy.allCases.map { Run(sample: sample, policy: $0) } }

    @Test("every verb has a sample here")
    func samples() {
        #expect(VerbSample.all.map(\.testDescription) == Verbs.names)
    }

    @Test("books balance, nothing is lost, and one worker writes what eight write", arguments: runs)
    func books(run: Run) async throws {
        let folder = try RunFolder()
        defer { folder.remove() }
        let lines = (0..<3).map { VerbSample.records(400, seed: $0) }
        let inputs = try lines.enumerated().map { try folder.write(($1.joined(separator: "\n") + "\n").utf8, to: "\($0).jsonl") }
        let after = RecordStage(name: "after", verb: Keep(try CellProgram("!has(record.k) || record.k != 1")))
        let stage = RecordStage(name: "sample", verb: try run.sample.make(), onError: run.policy)
        let pipeline = folder.pipeline(inputs, [stage, after])
        let one = try await folder.run(pipeline, workers: 1)
        let eight = try await folder.run(pipeline, workers: 8)
        guard one.report.status != .failed else {
            #expect(run.policy == .stop)
            #expect(eight.report.status == .failed)
            #expect(one.outcome.out.isEmpty && one.outcome.dead.isEmpty && eight.outcome.out.isEmpty && eight.outcome.dead.isEmpty)
            return
        }
        #expect(one.outcome == eight.outcome)
        #expect(one.report.balanced)
        let isWhole = one.report.inputs.allSatisfy(\.whole)
        #expect(isWhole ? one.report.records.read == 1200 : one.report.records.read < 1200)
        #expect(one.report.records.dead == one.outcome.dead.split(separator: "\n").count)
        #expect(one.report.records.written == one.outcome.out.split(separator: "\n").count)
        let own = try #require(one.report.stages.first { $0.name == "sample" })
        #expect(own.in + own.added == own.out + own.filtered + own.dead + own.absorbed)
        #expect(run.policy == .deadLetter || own.dead == 0)
        #expect(run.policy == .drop || own.dropped == 0)
    }

    @Test("a verb mentions every field that it reads, writes or names", arguments: VerbSample.all)
    func mentions(sample: VerbSample) async throws {
        let folder = try RunFolder()
        defer { folder.remove() }
        let input = try folder.write(VerbSample.records(500, seed: 9).joined(separator: "\n").utf8, to: "a.jsonl")
        let all = Keep(try CellProgram("has(record.n) || has(record.items) || has(record.text) || record.?m != optional.of(1) || true"))
        let stage = RecordStage(name: "sample", verb: try sample.make())
        let without = try await folder.run(folder.pipeline([input], [stage]), workers: 2)
        let with = try await folder.run(folder.pipeline([input], [RecordStage(name: "all", verb: all), stage]), workers: 2)
        #expect(without.outcome.out == with.outcome.out)
        #expect(without.outcome.dead == with.outcome.dead)
    }

    @Test("an ordered stage continues from its checkpoint", arguments: VerbSample.all.filter { $0.harness?.isOrdered == true })
    func ordered(sample: VerbSample) throws {
        for seed in 0..<20 as Range<UInt64> {
            var random = Seeded(seed)
            let lines = VerbSample.records(120, seed: seed)
            let whole = try StepHarness(sample)
            let expected = try whole.run(lines, batch: 10)
            let cut = 10 * Int(random.next() % 13)
            let first = try StepHarness(sample)
            var kept = try first.run(Array(lines[..<cut]), batch: 10)
            if !first.hasEnough {
                let second = try StepHarness(sample)
                try second.restore(first.checkpoint())
                #expect(try second.checkpoint().bytes == first.checkpoint().bytes)
                kept += try second.run(Array(lines[cut...]), batch: 10, from: cut)
                #expect(try second.checkpoint().bytes == whole.checkpoint().bytes)
            }
            #expect(kept == expected)
        }
    }

    @Test("results of a closing stage do not depend on order, grouping or batches", arguments: VerbSample.all.filter { $0.harness?.isClosing == true })
    func closing(sample: VerbSample) throws {
        for seed in 0..<20 as Range<UInt64> {
            var random = Seeded(seed)
            let lines = VerbSample.records(200, seed: seed)
            let whole = try StepHarness(sample)
            _ = try whole.run(lines, batch: 200)
            let state = try whole.checkpoint().bytes
            let parts = try (0..<4).map { _ in try StepHarness(sample) }
            for start in stride(from: 0, to: 200, by: 8).shuffled(using: &random) {
                _ = try parts[Int(random.next() % 4)].run(Array(lines[start..<start + 8]), batch: 8, from: start)
            }
            let merged = try StepHarness(sample)
            for part in parts.shuffled(using: &random) { try merged.merge(part.checkpoint()) }
            #expect(try merged.checkpoint().bytes == state)
            #expect(try merged.results() == whole.results())
        }
    }

    @Test("invalid states are refused without further effect", arguments: VerbSample.all.filter { $0.harness != nil })
    func foreignStates(sample: VerbSample) throws {
        let harness = try StepHarness(sample)
        _ = try harness.run(VerbSample.records(60, seed: 3), batch: 20)
        let state = try harness.checkpoint().bytes
        var random = Seeded(5)
        var taken = 0
        for _ in 0..<3000 {
            var bytes = state
            switch random.next() % 4 {
            case 0: bytes.removeLast(Int(random.next() % UInt64(bytes.count)) + 1)
            case 1: bytes.append(UInt8(truncatingIfNeeded: random.next()))
            default: break
            }
            for _ in 0..<random.next() % 4 where !bytes.isEmpty {
                bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
            }
            let other = try StepHarness(sample)
            do throws(CheckpointError) {
                if other.isClosing { try other.merge(StageState(bytes: bytes)) } else { try other.restore(StageState(bytes: bytes)) }
                taken += 1
            } catch {
                continue
            }
            _ = try other.checkpoint()
            if other.isClosing { _ = try other.results() }
        }
        #expect(taken < 3000)
    }
}

extension VerbSample {
    /// The harness for a step with state; nil for other steps.
    fileprivate var harness: StepHarness? {
        guard let harness = try? StepHarness(self), harness.isOrdered || harness.isClosing else { return nil }
        return harness
    }
}
