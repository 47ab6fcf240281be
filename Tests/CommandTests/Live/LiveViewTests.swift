import Foundation
import SluiceDefinition
import SluiceRecords
import Testing

@testable import sluice

@Suite("A run as its dashboard shows it")
struct LiveViewTests {
    private static let hostile = "</script>\"\\\n&\u{2028}"

    /// The progress of a run that has not begun.
    private static var nothing: RunProgress? {
        let file = PipelineFile(reading: ["-"], format: "jsonl", stages: [], writing: nil)
        return file.check(mayLackInputs: true).pipeline.map { RecordRun($0, options: RunOptions(workers: 1, state: "/nonexistent")).progress }
    }

    /// A run of 100 MB, sampled once a second: reading, a stage, one with workers of its own,
    /// writing.
    private func view(seconds: Int = 20, share: Double = 0.25, name: String = "score", isDraining: Bool = false, looks: ClosedRange<Int>? = nil) throws
        -> LiveView
    {
        var samples = RunSamples()
        (samples.pipeline, samples.threads, samples.places, samples.began) = ("p", 2, ["source", name, "sink"], 1_700_000_000)
        samples.steps = [
            RunSamples.Step(name: "reading", kind: .reading, workers: 1), RunSamples.Step(name: "source", kind: .stage, workers: 2),
            RunSamples.Step(name: name, kind: .own, workers: 4), RunSamples.Step(name: "sink", kind: .stage, workers: 2),
            RunSamples.Step(name: "writing", kind: .writing, workers: 1),
        ]
        samples.samples = (0...seconds).map { second in
            var sample = RunSamples.Sample()
            sample.time = second * 1_000_000 + 100
            sample.records = second * 1000
            sample.textBytes = second * 1_000_000
            sample.compressedBytes = Int(share * 100_000_000) * second / max(1, seconds)
            sample.share = Int(share * 1_000_000) * second / max(1, seconds)
            sample.processorTime = second * 400_000
            sample.out = [second * 1000, second * 900, second * 900]
            sample.steps = [2, 10, 98, 10, 1].enumerated().map { index, percent in
                let workers = samples.steps[index].workers
                return RunSamples.Sample.Step(busy: second * 10_000 * percent * workers, queued: index == 2 ? 2 : 0, workers: workers)
            }
            return sample
        }
        var recent = RecentSamples()
        for sample in samples.samples where looks?.contains(sample.time / 1_000_000) ?? true { recent.add(sample) }
        var progress = try #require(Self.nothing)
        (progress.records, progress.compressedTotal, progress.isDraining) = (seconds * 1000, 100_000_000, isDraining)
        (progress.compressedBytes, progress.share) = (UInt64(share * 100_000_000), share)
        var report = RunReport(unfinished: samples)
        report.records.written = seconds * 900
        report.records.dead = 3
        report.deadLetters.byCode = ["eval.\(Self.hostile)": 1, "parse": 2]
        report.deadLetters.first = ["parse": try failure(Self.hostile)]
        let live = RecordRun.Live(samples: samples, report: report, progress: progress, inputs: 7, allowed: [nil, 1...2, 1...64, 1...2, nil])
        return view(of: live, recent: recent)
    }

    private func view(of live: RecordRun.Live, recent: RecentSamples) -> LiveView {
        var rates = LiveRates()
        rates.note(live.samples)
        return LiveView(live, recent: recent.window(of: live.samples), rates: rates, ended: nil)
    }

    private func failure(_ message: String) throws -> RunReport.Failure {
        try JSONDecoder().decode(RunReport.Failure.self, from: JSONEncoder().encode(["stage": "source", "message": message]))
    }

    @Test("says how far it is, what it waits for, and what was lost")
    func sentences() throws {
        let texts = PageSentences.live(try view()).map(\.text)
        #expect(
            texts == [
                "25 % of the input is done, and at this pace it takes another 1:00: 20,000 records in 20.0 s.",
                "The bottleneck is ‘score’: its 4 workers were busy for 98 % of the time. More of them would make the run faster.",
                "Lost so far: 3 records are dead letters (less than 0.1 % of those that were read), most often with the code parse.",
            ])
        #expect(
            PageSentences.live(try view(isDraining: true))[0].text
                == "The run is being drained: what is in flight is finished, and nothing more is read. 20,000 records in 20.0 s.")
        #expect(PageSentences.live(try view(share: 1))[0].text == "All of the input is read: 20,000 records in 20.0 s. The run is finishing.")
        let page = PageModel(try view(), isWhole: false, after: nil, made: "")
        #expect(page.slow == "score" && page.status == "running" && page.live?.share == 0.25 && page.inputCount == 7)
        #expect(page.live?.controls.map(\.name) == ["source", "score", "sink"] && page.live?.controls.map(\.most) == [2, 64, 2])
    }

    @Test("moves while a stage with workers of its own is at its batches")
    func inStages() throws {
        var live = try view().live
        // No batch has been committed since the fifteenth second; 500 records a second were
        // finished.
        for second in 0...20 {
            let committed = min(second, 15) * 1000
            live.samples.samples[second].records = committed
            live.samples.samples[second].out = [committed, committed, committed]
            live.samples.samples[second].passed = [committed + 9_000, committed + max(0, second - 15) * 500, committed]
        }
        live.report.records.read = 15_000
        var recent = RecentSamples()
        for sample in live.samples.samples.suffix(5) { recent.add(sample) }
        let view = view(of: live, recent: recent)
        let rate = try #require(view.rates.recordsPerSecond)
        #expect(view.recordsInStages == 2_500 && abs(rate - 875) < 1)
        #expect(PageSentences.live(view)[0].text.hasSuffix(": 15,000 records, and 2,500 more in stages, in 20.0 s."))
        #expect(view.steps.map(\.passed) == [nil, 24_000, 17_500, 15_000, nil])
        let status = try #require(JSONSerialization.jsonObject(with: Data(LiveStatus(view).json)) as? [String: Any])
        #expect(status["records"] as? Int == 15_000 && status["records_in_stages"] as? Int == 2_500 && status["records_per_second"] as? Double == 875)
        let page = PageModel(view, isWhole: false, after: nil, made: "")
        #expect(page.live?.recordsInStages == 2_500)
    }

    @Test("is that of the last half minute, of which the first look may be later")
    func window() throws {
        for looks in [nil, 0...0, 55...60, 60...60] {
            let recent = try view(seconds: 60, looks: looks).recent
            #expect(recent.seconds >= 2 && recent.seconds <= 60)
            #expect(abs(Double(recent.samples.last?.records ?? 0) / recent.seconds - 1000) < 1, "\(String(describing: looks))")
            #expect(abs((recent.times[2].share) - 0.98) < 0.01)
        }
        #expect(try view(seconds: 60).recent.seconds == 30)
        // The jam that times do not show yet.
        var live = try view().live
        for index in live.samples.samples.indices { for step in live.samples.steps.indices { live.samples.samples[index].steps[step].busy = 0 } }
        let jammed = LiveView(live, recent: live.samples, rates: LiveRates(), ended: nil)
        #expect(jammed.jam?.name == "score")
        // Too short for a window.
        let beginning = try view(seconds: 1)
        #expect(beginning.recent.samples.count == beginning.samples.samples.count)
    }

    @Test("has a rate while batches take longer than the half minute, and none before the first is committed")
    func leaps() throws {
        var live = try view(seconds: 200, share: 0.5).live
        // A batch every forty seconds.
        for second in 0...200 { live.samples.samples[second].textBytes = second / 40 * 4_000_000 }
        let whole = live.samples.samples
        var rates = LiveRates()
        for second in 0...200 {
            live.samples.samples = Array(whole[...second])
            rates.note(live.samples)
            let said = rates.bytesPerSecond
            #expect(second < 40 ? said == nil : abs((said ?? 0) - 100_000) < 1, "at \(second): \(said ?? 0)")
        }
        let page = PageModel(LiveView(live, recent: live.samples, rates: rates, ended: nil), isWhole: false, after: nil, made: "")
        let shown = try #require(page.live?.bytesPerSecond)
        #expect(abs(shown - 100_000) < 1)
        live.samples.samples = Array(whole[...10])
        let early = try JSONSerialization.jsonObject(with: Data(LiveStatus(view(of: live, recent: RecentSamples())).json)) as? [String: Any]
        #expect(early?["bytes_per_second"] is NSNull && early?["records_per_second"] as? Double == 1000)
    }

    @Test("says nothing of the pace of the process before this one")
    func resumed() throws {
        var live = try view().live
        live.samples.resumes = [live.samples.samples[10].time]
        // This process began from a checkpoint of the seventh second, and is twice as fast.
        for second in 11...20 { live.samples.samples[second].textBytes = (7 + 2 * (second - 11)) * 1_000_000 }
        var rates = LiveRates()
        rates.note(live.samples)
        let rate = try #require(rates.bytesPerSecond)
        #expect(abs(rate - 2_000_000) < 1)
    }

    @Test("lists the damaged places that lost most, in its status and on its page")
    func damage() throws {
        var live = try view().live
        for number in 0..<150 {
            var damage = Damage(kind: .corrupt, offset: UInt64(number), member: 0, lostBytes: UInt64(number % 75), lostText: 0)
            if number == 74 { damage.file = "in/\(Self.hostile).gz" }
            live.damage.add(damage, of: "logs/\(number).tar")
        }
        let view = view(of: live, recent: RecentSamples())
        let status = try #require(JSONSerialization.jsonObject(with: Data(LiveStatus(view).json)) as? [String: Any])
        let places = try #require(status["damage"] as? [[String: Any]])
        #expect(status["damaged_places"] as? Int == 150 && places.count == 100)
        #expect(places[0]["file"] as? String == "in/\(Self.hostile).gz" && places[1]["file"] as? String == "logs/149.tar")
        #expect(places[0]["kind"] as? String == "corrupt" && places[0]["offset"] as? Int == 74 && places[0]["lost_bytes"] as? Int == 74)
        let page = PageModel(view, isWhole: false, after: nil, made: "")
        #expect(page.damageCount == 150 && page.live?.damage == live.damage.worst.map { DamagedPlace($0) })
        #expect(PageSentences.live(view).last?.text.contains("the input is damaged in 150 places") == true)
    }

    @Test("waits for its input if nothing happens")
    func idle() throws {
        let busy = try view()
        var live = busy.live
        let last = try #require(live.samples.samples.last)
        for second in 1...10 {
            var sample = last
            sample.time += second * 1_000_000
            live.samples.samples.append(sample)
        }
        var recent = RecentSamples()
        for sample in live.samples.samples.suffix(9) { recent.add(sample) }
        let idle = view(of: live, recent: recent)
        #expect(idle.isIdle && !busy.isIdle)
        #expect(PageSentences.live(idle)[1].text == "Nothing has happened for some seconds: the run waits for its input.")
        #expect(PageModel(idle, isWhole: true, after: nil, made: "").slow == nil)
    }

    @Test("has a status with a null for what is unknown, and texts as they are")
    func status() throws {
        let name = "s\(Self.hostile)"
        let object = try #require(JSONSerialization.jsonObject(with: Data(LiveStatus(try view(name: name)).json)) as? [String: Any])
        #expect(object["state"] as? String == "running" && object["share"] as? Double == 0.25 && object["report"] is NSNull && object["exit"] is NSNull)
        #expect(object["bottleneck"] as? String == name && object["damaged_places"] as? Int == 0)
        #expect(abs((object["eta_seconds"] as? Double ?? 0) - 60) < 1 && object["bytes_per_second"] as? Int == 1_000_000)
        let stages = try #require(object["stages"] as? [[String: Any]])
        #expect(stages.compactMap { $0["name"] as? String } == ["reading", "source", name, "sink", "writing"])
        #expect(stages[2]["busy_share"] as? Double == 0.98 && stages[2]["queued"] as? Int == 2 && stages[2]["workers"] as? Int == 4)
        let keys = ["name", "kind", "workers", "min_workers", "max_workers", "queued", "busy_share", "records_out", "records_passed", "dead", "resizable"]
        #expect(Swift.Set(stages[2].keys) == Swift.Set(keys))
        #expect(object["records_in_stages"] as? Int == 0 && object["records_per_second"] as? Double == 1000 && stages[2]["records_passed"] as? Int == 0)
        let letters = try #require(object["dead_letters"] as? [[String: Any]])
        #expect(letters.compactMap { $0["count"] as? Int } == [2, 1] && letters[0]["stage"] as? String == "source")
    }

    @Test("has metrics that Prometheus reads")
    func metrics() throws {
        let text = LiveMetrics.text(try view(name: "s\(Self.hostile)"))
        #expect(text.hasSuffix("\n") && !text.contains("\n\n"))
        var known: [Substring: Substring] = [:]
        var seen: Swift.Set<Substring> = []
        for line in text.split(separator: "\n") {
            if let type = line.wholeMatch(of: /# TYPE ([a-z_]+) (counter|gauge)/) {
                known[type.1] = type.2
                #expect((type.2 == "counter") == type.1.hasSuffix("_total"), "\(line)")
            } else if !line.hasPrefix("# HELP ") {
                let sample = try #require(
                    line.wholeMatch(of: /([a-z_]+)(\{[a-z_]+="(?:[^"\\]|\\["\\n])*"(?:,[a-z_]+="(?:[^"\\]|\\["\\n])*")*\})? [-+.e0-9]+/), "\(line)")
                #expect(known[sample.1] != nil && seen.insert(line.prefix { $0 != " " } + "").inserted || line.contains("\\"), "\(line)")
            }
        }
        #expect(text.contains(#"sluice_stage_workers{stage="s</script>\"\\\n&"# + "\u{2028}" + #"",kind="own"} 4"#))
        #expect(text.contains("sluice_input_size_bytes 100000000\n") && text.contains("sluice_dead_letters_total{code=\"parse\"} 2\n"))
    }

    @Test("is a page in which no text is markup")
    func hostileTexts() throws {
        let view = try view(name: "s\(Self.hostile)")
        let page = String(decoding: try ReportPage(view, isWhole: true, after: "r-1").html, as: UTF8.self)
        #expect(page.components(separatedBy: "<script").count == 3 && page.components(separatedBy: "</script>").count == 3)
        #expect(page.contains("connect-src 'self'; base-uri 'none'") && page.contains("new EventSource("))
        for word in ["innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(", "Function(", ".href", "import("] {
            #expect(!page.contains(word), "\(word)")
        }
        let event = String(decoding: try ReportPage(view, isWhole: false, after: nil).model.json, as: UTF8.self)
        #expect(!event.contains { "<>&\u{2028}\n".contains($0) })
    }
}
