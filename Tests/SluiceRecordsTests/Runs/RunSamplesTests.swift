import Foundation
import Sluice
import Testing

@testable import SluiceRecords

@Suite("Samples of a run")
struct RunSamplesTests {
    /// Samples at these times, in seconds, with the given busy and waiting times of each step.
    static func samples(
        _ steps: [RunSamples.Step], threads: Int = 2, seconds: Double = 10, busy: [Double], waited: [Double] = [], processor: Double = 0
    ) -> RunSamples {
        var samples = RunSamples()
        (samples.steps, samples.threads) = (steps, threads)
        for part in 0...10 {
            var sample = RunSamples.Sample()
            sample.time = Int(seconds * 1e5) * part
            sample.processorTime = Int(processor * 1e5) * part
            sample.steps = steps.indices.map { index in
                RunSamples.Sample.Step(
                    busy: Int(busy[index] * 1e5) * part, waited: Int((waited.isEmpty ? 0 : waited[index]) * 1e5) * part, queued: part,
                    workers: steps[index].workers)
            }
            samples.samples.append(sample)
        }
        return samples
    }

    static let reading = RunSamples.Step(name: "reading", kind: .reading, workers: 1)
    static let source = RunSamples.Step(name: "source", kind: .stage, workers: 2)
    static let score = RunSamples.Step(name: "score", kind: .own, workers: 8)
    static let head = RunSamples.Step(name: "head", kind: .ordered, workers: 1)
    static let slow = RunSamples.Step(name: "slow", kind: .stage, workers: 1)
    static let writing = RunSamples.Step(name: "writing", kind: .writing, workers: 1)

    @Test("there are few of them however long the run is, at equal distances, and the last one stays", arguments: [10, 400, 401, 402, 5_000])
    func series(count: Int) {
        var series = SampleSeries(interval: 100, most: 400)
        var last = 0
        for _ in 0..<count {
            var sample = RunSamples.Sample()
            sample.time = max(last, series.next)
            last = sample.time + 1
            series.append(sample)
            #expect(series.samples.count <= 400)
            #expect(series.samples.last == sample)
        }
        let times = series.samples.map(\.time)
        #expect(times.first == 0)
        #expect(series.samples.count >= min(count, 200))
        let distances = zip(times.dropFirst(), times).map { $0 - $1 }
        // All but the last one.
        #expect(Swift.Set(distances.dropLast()).count <= 1, "\(Swift.Set(distances))")
        #expect(distances.allSatisfy { $0 > 0 })
    }

    @Test("many columns leave fewer of them")
    func bounded() {
        #expect(SampleSeries(columns: 10).most == 400)
        #expect(SampleSeries(columns: 100).most == 200)
        #expect(SampleSeries(columns: 100_000).most == 60)
    }

    @Test("are written soon after the beginning, and every ten seconds later")
    func due() {
        var times: [Int] = []
        for tenth in 1...500 where RunSampler.isDue(at: tenth * 100_000, written: times.last ?? 0) { times.append(tenth * 100_000) }
        #expect(times == [1, 2, 4, 8, 16, 26, 36, 46].map { $0 * 1_000_000 })
    }

    @Test("what is written is read again")
    func roundTrip() throws {
        var samples = Self.samples([Self.reading, Self.score], busy: [3, 40], waited: [1, 0])
        (samples.pipeline, samples.definition, samples.report, samples.program) = ("p", "sha256:1", "sha256:2", "sluice 1")
        (samples.file, samples.text, samples.began, samples.resumedAt, samples.compressedTotal) = ("p.yaml", "name: \"p\"\n", 1.5, 3, 4)
        samples.places = ["source", "sink"]
        (samples.run, samples.resumes) = ("0123", [7])
        for index in samples.samples.indices {
            (samples.samples[index].out, samples.samples[index].deadLetters) = ([index, 2 * index], [0, index])
            samples.samples[index].passed = [index + 5, 2 * index]
        }
        let folder = try RunFolder()
        defer { folder.remove() }
        try samples.write(to: folder.path)
        #expect(RunSamples(state: folder.path) == samples)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["samples.json"])
        let object = try #require(try JSONSerialization.jsonObject(with: Data(samples.json())) as? [String: Any])
        let rows = try #require(object["samples"] as? [[Int]])
        #expect(rows.allSatisfy { $0.count == samples.columns.count })
        #expect(samples.columns.prefix(2) == ["time", "records"] && samples.columns.suffix(6).first == "busy 1")
        let other = String(decoding: try samples.json(), as: UTF8.self).replacing("],\n[", with: ",1],\n[")
        try Data(other.utf8).write(to: URL(filePath: folder.path + "/samples.json"))
        #expect(RunSamples(state: folder.path) == nil)
        #expect(RunSamples(state: folder.path + "/no") == nil)
    }

    @Test("those of earlier versions, without some counts by stage, are read", arguments: [["dead ", "passed "], ["passed "]])
    func earlier(missing: [String]) throws {
        let folder = try RunFolder()
        defer { folder.remove() }
        var samples = Self.samples([Self.source], busy: [3])
        samples.places = ["source", "sink"]
        for index in samples.samples.indices { (samples.samples[index].out, samples.samples[index].deadLetters) = ([index, 2 * index], [0, 0]) }
        let whole = try JSONSerialization.jsonObject(with: Data(samples.json()))
        var object = try #require(whole as? [String: Any])
        let columns = try #require(object["columns"] as? [String])
        let rows = try #require(object["samples"] as? [[Int]])
        let kept = columns.indices.filter { column in !missing.contains { columns[column].hasPrefix($0) } }
        object["columns"] = kept.map { columns[$0] }
        object["samples"] = rows.map { row in kept.map { row[$0] } }
        try JSONSerialization.data(withJSONObject: object).write(to: URL(filePath: folder.path + "/samples.json"))
        if missing.contains("dead ") { for index in samples.samples.indices { samples.samples[index].deadLetters = [] } }
        #expect(RunSamples(state: folder.path) == samples)
    }

    @Test("know what stages with workers of their own have finished before it is committed")
    func inStages() {
        var samples = Self.samples([Self.reading, Self.source, Self.score, Self.writing], busy: [1, 1, 1, 1])
        samples.places = ["source", "score", "sink"]
        var sample = samples.samples[0]
        sample.out = [1_000, 900, 900]
        #expect(samples.inStages(sample) == 0)
        sample.passed = [9_000, 1_250, 900]
        #expect(samples.inStages(sample) == 350)
        samples.steps[2].kind = .stage
        #expect(samples.inStages(sample) == 0)
    }

    @Test("go on after those of an earlier process, and stay few", arguments: [1, 3, 399, 400])
    func goOn(count: Int) {
        var series = SampleSeries(interval: 100_000, most: 400)
        for index in 0..<count {
            var sample = RunSamples.Sample()
            sample.time = index * 400_000
            series.append(sample)
        }
        var next = SampleSeries(series.samples, columns: 10)
        #expect(next.samples.count == count && next.interval == (count > 2 ? 400_000 : 100_000))
        #expect(next.next > series.samples.last?.time ?? 0)
        for _ in 0..<1_000 {
            var sample = RunSamples.Sample()
            sample.time = next.next
            next.append(sample)
            #expect(next.samples.count <= 400)
        }
        let narrow = SampleSeries(series.samples, columns: 200)
        #expect(narrow.samples.count <= 100 && narrow.samples.last == series.samples.last)
    }

    @Test("a step's time is divided into busy, waiting for room, and the rest")
    func times() {
        let times = Self.samples([Self.source], busy: [6], waited: [4]).times
        #expect(times.map(\.busy) == [6] && times.map(\.waited) == [4] && times.map(\.available) == [20] && times.map(\.idle) == [10])
        #expect(times[0].share == 0.3)
        #expect(abs(times[0].queued - 5.5) < 1e-9)
    }

    @Test("the bottleneck is what was busy all the time")
    func bottleneck() {
        let steps = [Self.reading, Self.source, Self.score, Self.head, Self.slow, Self.writing]
        func name(_ busy: [Double], waited: [Double] = [], threads: Int = 2, processor: Double = 0, seconds: Double = 10) -> String {
            switch Bottleneck(Self.samples(steps, threads: threads, seconds: seconds, busy: busy, waited: waited, processor: processor)) {
            case .tooShort: "short"
            case .ordered(let times): "ordered \(times.step.name)"
            case .workers(let times): "workers \(times.step.name)"
            case .processors(_, let steps): "processors \(steps.map(\.step.name))"
            case .reading: "reading"
            case .crowded(let times, let waited): "crowded \(times.step.name) \(waited)"
            case .unclear(let busiest): "unclear \(busiest?.step.name ?? "")"
            }
        }
        #expect(name([9, 1, 70, 1, 1, 1]) == "workers score")
        #expect(name([1, 1, 10, 9, 1, 1]) == "ordered head")
        #expect(name([1, 1, 10, 1, 1, 9], processor: 19) == "ordered writing")
        // With one thread, every step takes turns with the others.
        #expect(name([0, 1, 0, 1, 0, 8], threads: 1, processor: 9.5) == "processors [\"writing\", \"source\", \"head\"]")
        #expect(name([4, 9, 0, 1, 1, 1], processor: 18) == "processors [\"source\", \"reading\", \"head\", \"slow\", \"writing\"]")
        #expect(name([1, 1, 1, 1, 9, 1], processor: 11) == "workers slow")
        #expect(name([9, 1, 1, 1, 1, 1], processor: 10) == "reading")
        #expect(name([1, 1, 40, 1, 1, 1], waited: [9, 12, 0, 1, 0, 0], processor: 3) == "crowded score 0.6")
        #expect(name([1, 12, 1, 1, 1, 1], waited: [9, 1, 1, 1, 1, 0], processor: 12) == "unclear source")
        #expect(name([1, 12, 1, 1, 1, 1], processor: 12) == "unclear source")
        #expect(name([0, 0, 0, 0, 0, 0], seconds: 0.1) == "short")
    }

    @Test("a run records what it did, beside its report")
    func recorded() async throws {
        let folder = try RunFolder()
        defer { folder.remove() }
        let text = (0..<50_000).map { "{\"n\":\($0),\"text\":\"\(String(repeating: "x", count: 60))\"}\n" }.joined()
        let pipeline = folder.pipeline([try folder.write(text.utf8, to: "in.jsonl")], [])
        var options = RunOptions(workers: 2, state: folder.path + "/state")
        options.samples = RunSamples()
        let report = try await RecordRun(pipeline, options: options).run()
        #expect(report.status == .complete)
        let samples = try #require(RunSamples(state: folder.path + "/state"))
        #expect(try samples.report == RunReport(contentsOf: folder.path + "/state/report.json").digest)
        #expect(samples.places == report.stages.map(\.name) && samples.threads == 2 && samples.pipeline == "test")
        #expect(samples.steps.map(\.name) == ["reading", "source", "sink", "writing"])
        let last = try #require(samples.samples.last)
        #expect(last.records == 50_000 && last.written == 50_000 && last.dead == 0 && last.textBytes == text.utf8.count)
        #expect(last.out == report.stages.map(\.out) && last.passed == last.out)
        for sample in samples.samples { #expect(zip(sample.passed, sample.out).allSatisfy { $0 >= $1 }) }
        #expect(last.processorTime > 0 && last.memoryBytes > 1 << 20)
        // Each batch went through every step.
        #expect(Swift.Set(last.steps.map(\.batches)).count == 1 && last.steps[0].batches > 1)
        #expect(last.steps.allSatisfy { $0.busy > 0 && $0.queued == 0 })
        for times in samples.times { #expect(times.busy + times.waited <= 2 * samples.seconds, "\(times)") }
        #expect(abs(Double(last.steps[1].busy) / 1e6 - report.stages[0].busySeconds) < 1e-5)
        options.samples = nil
        try FileManager.default.removeItem(atPath: folder.path + "/state")
        _ = try await RecordRun(pipeline, options: options).run()
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/state") == ["report.json"])
    }
}
