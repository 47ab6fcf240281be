import Foundation
import Sluice
import SluiceCEL
import Testing

@testable import SluiceRecords

@Suite("dedupe")
struct DedupeTests {
    private func hash(_ number: UInt64) -> Hash128 { SipHash.fixed.hash(number, 0) }

    @Test("the most recent keys agree with a linear search of a list", arguments: [1, 2, 7, 100])
    func recent(most: Int) {
        for seed in 0..<10 as Range<UInt64> {
            var random = Seeded(seed)
            let keys = RecentKeys(most)
            var model: [Hash128] = []
            for _ in 0..<3000 {
                let key = hash(random.next() % UInt64(2 * most + 3))
                let isNew = !model.contains(key)
                model.removeAll { $0 == key }
                model.append(key)
                if model.count > most { model.removeFirst() }
                if keys.insert(key) != isNew { Issue.record("seed \(seed)") }
            }
            #expect(keys.all == model)
        }
    }

    @Test("all keys are found, in memory and in files", arguments: [0, 64 << 10, 1 << 30])
    func seen(memory: Int) throws {
        var random = Seeded(4)
        let keys = SeenKeys(StageRoom(memory: memory, folder: NSTemporaryDirectory()))
        var model: Set<Hash128> = []
        for _ in 0..<200 {
            let batch = (0..<100).map { _ in hash(random.next() % 9000) } + [Hash128(high: 0, low: 0)]
            #expect(try keys.insert(batch) == batch.map { model.insert($0).inserted })
        }
        // A set made from the files and the keys in memory knows the same keys.
        let restored = SeenKeys(StageRoom(memory: memory, folder: NSTemporaryDirectory()))
        try restored.restore(keys.inMemory, keys.files.map(\.file))
        let known = model.sorted()
        #expect(try restored.insert(known) == known.map { _ in false })
        #expect(try restored.insert([hash(9001)]) == [true])
        #expect(keys.files.isEmpty == (memory == 1 << 30))
        for (older, newer) in zip(keys.files, keys.files.dropFirst()) { #expect(older.count >= 2 * newer.count) }
    }

    @Test("passes the first of each key with any number of workers, and leaves nothing in the state folder", arguments: [512 << 20, 64 << 10])
    func runs(memory: Int) async throws {
        let folder = try RunFolder()
        defer { folder.remove() }
        var random = Seeded(9)
        var seen: Set<UInt64> = []
        var expected: [String] = []
        var inputs: [InputFile] = []
        for file in 0..<3 {
            let lines = (0..<20_000).map { line -> String in
                let key = random.next() % 5000
                let text = #"{"key":"\#(key)","n":\#(line),"text":"some text that makes the record longer"}"#
                if seen.insert(key).inserted { expected.append(text) }
                return text
            }
            inputs.append(try folder.write((lines.joined(separator: "\n") + "\n").utf8, to: "\(file).jsonl"))
        }
        var checking = Checking(label: "dedupe")
        let place = TextPlace(TextPosition(line: 1, column: 1))
        let verb = try #require(
            Dedupe(.keys(Arguments(["by": .list([.leaf(Leaf("key"))], place)])), options: Arguments(), &checking))
        var pipeline = folder.pipeline(inputs, [RecordStage(name: "once", verb: verb)])
        pipeline.limits.memory = memory
        for workers in [1, 8] {
            let run = try await folder.run(pipeline, workers: workers)
            #expect(run.report.balanced && run.report.error == nil)
            #expect(run.outcome.out == expected.joined(separator: "\n") + "\n")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/state") == ["report.json"])
        }
    }
}

@Suite("sample")
struct SampleTests {
    private func kept(_ folder: RunFolder, _ input: InputFile, share: String, by: [String], workers: Int) async throws -> [Substring] {
        let place = TextPlace(TextPosition(line: 1, column: 1))
        var arguments = ["share": Argument.leaf(Leaf(share))]
        if !by.isEmpty { arguments["by"] = .list(by.map { .leaf(Leaf($0)) }, place) }
        var checking = Checking(label: "sample")
        let verb = try #require(Sample(.keys(Arguments(arguments)), options: Arguments(), &checking))
        let run = try await folder.run(folder.pipeline([input], [RecordStage(name: "some", verb: verb)]), workers: workers)
        #expect(run.report.balanced)
        return run.outcome.out.split(separator: "\n")
    }

    @Test("passes about its share, the same records on every run, and a superset with a larger share", arguments: [[], ["n"], ["n % 5000"]])
    func shares(by: [String]) async throws {
        let folder = try RunFolder()
        defer { folder.remove() }
        let input = try folder.write((0..<50_000).map { #"{"n":\#($0)}"# + "\n" }.joined().utf8, to: "a.jsonl")
        var last: Set<Substring> = []
        for share in ["0", "0.1%", "0.1", "50%", "1"] {
            let one = try await kept(folder, input, share: share, by: by, workers: 1)
            #expect(try await kept(folder, input, share: share, by: by, workers: 8) == one)
            let expected = share.hasSuffix("%") ? (Double(share.dropLast()) ?? 0) / 100 : Double(share) ?? 0
            #expect(abs(Double(one.count) / 50_000 - expected) <= 0.015)
            #expect(last.isSubset(of: one))
            last = Set(one)
        }
        #expect(last.count == 50_000)
    }
}
