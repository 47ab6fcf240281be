import SluiceRecords

/// What the page says of a run before it shows any figures.
enum PageSentences {
    static func ending(of report: RunReport) -> PageModel.Sentence {
        let records = report.records
        let time = Figures.seconds(report.elapsedSeconds)
        switch report.status {
        case .complete, .losses:
            let files = Figures.count(report.outputs.count, "output")
            let text = "\(were(records.read)) read and \(Figures.count(records.written)) written to \(files), in \(time)."
            return PageModel.Sentence(kind: report.status == .complete ? .good : .plain, text: text)
        case .failed:
            return PageModel.Sentence(kind: .bad, text: "The run failed after \(time): \(report.error ?? "the reason is unknown").")
        case .interrupted:
            let next = report.resumable == true ? "; the same command resumes it" : ""
            return PageModel.Sentence(kind: .bad, text: "The run was interrupted after \(time), and no file was published\(next).")
        }
    }

    private static func were(_ records: Int) -> String { "\(Figures.count(records, "record")) \(records == 1 ? "was" : "were")" }

    /// Of a run that has written no report.
    static func unfinished(_ report: RunReport, _ samples: RunSamples, _ state: UnfinishedRun) -> PageModel.Sentence {
        let last = samples.samples.last
        let total = samples.compressedTotal.map(Double.init) ?? 0
        let share = total > 0 ? ", \(percent(min(1, Double(last?.compressedBytes ?? 0) / total))) of its input" : ""
        let dead = report.records.dead == 0 ? "none" : "\(Figures.count(report.records.dead))"
        let inStages = last.map { samples.inStages($0) } ?? 0
        let more = inStages > 0 ? "; stages had finished \(Figures.count(inStages)) more" : ""
        let known =
            "After \(Figures.seconds(report.elapsedSeconds)), \(were(report.records.read)) read\(share); \(dead) of them had failed\(more)."
        switch state {
        case .running: return PageModel.Sentence(kind: .plain, text: "The run was still going on when this page was made. \(known)")
        case .killed(let isResumable):
            let next = isResumable ? " The same command resumes it from its last checkpoint." : ""
            return PageModel.Sentence(kind: .bad, text: "The run was killed, or its machine stopped, before it had come to its end. \(known)\(next)")
        }
    }

    /// - Returns: `nil` if the run has not come to its end.
    static func losses(of report: RunReport) -> PageModel.Sentence? {
        let dead = report.records.dead
        let damaged = report.inputs.filter { !$0.damage.isEmpty }
        guard dead > 0 || !damaged.isEmpty else {
            guard report.status == .complete else { return nil }
            return PageModel.Sentence(kind: .good, text: "Nothing was lost: every record was written, or left out on purpose.")
        }
        var parts: [String] = []
        if dead > 0 { parts.append(deadLetters(of: report)) }
        if !damaged.isEmpty {
            let places = damaged.reduce(0) { $0 + $1.damage.count }
            let bytes = damaged.flatMap(\.damage).reduce(UInt64(0)) { $0 &+ $1.lostBytes }
            let verb = damaged.count == 1 ? "is" : "are"
            let inputs = report.inputs.count == 1 ? "the input" : "\(Figures.count(damaged.count)) of \(Figures.count(report.inputs.count)) inputs"
            let lost = bytes > 0 ? ", where \(Figures.bytes(bytes)) could not be read" : ""
            let isWrong = damaged.flatMap(\.damage).contains { $0.kind == "crc" || $0.kind == "length" }
            let wrong = isWrong ? ", with text missing or wrong" : ""
            parts.append("\(inputs) \(verb) damaged in \(places == 1 ? "1 place" : "\(Figures.count(places)) places")\(lost)\(wrong)")
        }
        return PageModel.Sentence(kind: .bad, text: "Losses: " + parts.joined(separator: "; ") + ".")
    }

    private static func deadLetters(of report: RunReport) -> String {
        let dead = report.records.dead
        let share = report.records.read > 0 ? " (\(percent(Double(dead) / Double(report.records.read))) of those that were read)" : ""
        let most = report.deadLetters.byCode.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key
        let code = most.map { code in report.deadLetters.byCode.count == 1 ? ", with the code \(code)" : ", most often with the code \(code)" } ?? ""
        return (dead == 1 ? "1 record is a dead letter" : "\(Figures.count(dead)) records are dead letters") + share + code
    }

    /// Of a run that goes on: how far it is, what it waits for, what was lost.
    static func live(_ view: LiveView) -> [PageModel.Sentence] {
        [PageModel.Sentence(kind: .plain, text: progress(of: view)), waiting(of: view), lossesSoFar(view)].compactMap(\.self)
    }

    private static func progress(of view: LiveView) -> String {
        let time = Figures.seconds(view.samples.seconds)
        guard !view.samples.samples.isEmpty else { return "The run begins." }
        if view.state == .draining { return "The run is being drained: what is in flight is finished, and nothing more is read. \(records(view)) in \(time)." }
        if view.report.records.read == 0, view.recordsUnderWay {
            let finished = view.recordsInStages > 0 ? "; stages have finished \(Figures.count(view.recordsInStages, "record")) of them" : ""
            return "No batch is done yet, after \(time): the first ones are under way\(finished)."
        }
        guard let share = view.share else { return "\(records(view)) in \(time). How much there is to come is not known, as an input has no size." }
        if share == 1 { return "All of the input is read: \(records(view)) in \(time). The run is finishing." }
        let left = view.secondsLeft.map { ", and at this pace it takes another \(Figures.clock($0))" } ?? ""
        return "\(Figures.percent(share)) of the input is done\(left): \(records(view)) in \(time)."
    }

    private static func records(_ view: LiveView) -> String {
        let records = Figures.count(view.report.records.read, "record")
        return view.recordsInStages > 0 ? "\(records), and \(Figures.count(view.recordsInStages)) more in stages," : records
    }

    private static func waiting(of view: LiveView) -> PageModel.Sentence? {
        guard !view.samples.samples.isEmpty else { return nil }
        if view.isIdle { return PageModel.Sentence(kind: .slow, text: "Nothing has happened for some seconds: the run waits for its input.") }
        if view.bottleneck == .tooShort { return nil }
        if case .unclear = view.bottleneck, let jam = view.jam {
            let text = "The bottleneck is \(subject(jam)): batches wait for it all the time, and for no step after it."
            return PageModel.Sentence(kind: .slow, text: text)
        }
        return PageModel.Sentence(kind: .slow, text: text(of: view.bottleneck))
    }

    private static func lossesSoFar(_ view: LiveView) -> PageModel.Sentence {
        let damage = view.live.damage.count
        guard view.report.records.dead > 0 || damage > 0 else { return PageModel.Sentence(kind: .good, text: "Nothing has been lost so far.") }
        var parts: [String] = []
        if view.report.records.dead > 0 { parts.append(deadLetters(of: view.report)) }
        if damage > 0 { parts.append("the input is damaged in \(damage == 1 ? "1 place" : "\(Figures.count(damage)) places")") }
        return PageModel.Sentence(kind: .bad, text: "Lost so far: " + parts.joined(separator: "; ") + ".")
    }

    static func text(of bottleneck: Bottleneck) -> String {
        switch bottleneck {
        case .tooShort: "The run was too short to say what it waited for."
        case .ordered(let times):
            "The bottleneck is \(subject(times.step)), which takes one batch at a time and was busy for \(percent(times.share)) of the time."
        case .workers(let times) where times.step.workers == 1:
            "The bottleneck is \(subject(times.step)): its one worker was busy for \(percent(times.share)) of the time. More workers would make the run faster."
        case .workers(let times):
            "The bottleneck is \(subject(times.step)): its \(Figures.count(times.step.workers)) workers were busy for \(percent(times.share)) of the time. "
                + "More of them would make the run faster."
        case .processors(let share, let steps): processors(share, steps)
        case .crowded(let times, let waited):
            "The bottleneck is \(subject(times.step)): the step before it waited for room there for \(percent(waited)) of its time."
        case .reading(let times) where times.step.workers == 1:
            "The bottleneck is reading the input, which was busy for \(percent(times.share)) of the time: one input is read by one reader."
        case .reading(let times):
            "The bottleneck is reading the inputs: \(Figures.count(times.step.workers)) readers were busy for \(percent(times.share)) of the time."
        case .unclear(let busiest?):
            "There is no clear bottleneck: the busiest step, \(subject(busiest.step)), was busy for \(percent(busiest.share)) of its workers’ time."
        case .unclear(nil): "There is no clear bottleneck."
        }
    }

    private static func processors(_ share: Double, _ steps: [StepTimes]) -> String {
        let busy = steps.reduce(0) { $0 + $1.busy }
        let largest = steps.prefix(3).map { "\(subject($0.step)) \(percent(busy > 0 ? $0.busy / busy : 0))" }
        return "The bottleneck is the processor: the threads of the run were computing for \(percent(share)) of the time. Most of that went to "
            + largest.joined(separator: ", ") + "."
    }

    /// In a sentence.
    private static func subject(_ step: RunSamples.Step) -> String {
        switch step.kind {
        case .reading: "reading the inputs"
        case .writing: "writing the outputs"
        case .stage, .ordered, .own: "‘\(Figures.shortened(step.name, to: 60))’"
        }
    }

    /// In a table.
    static func name(of step: RunSamples.Step) -> String {
        switch step.kind {
        case .reading: "reading inputs"
        case .writing: "writing outputs"
        case .stage, .ordered, .own: step.name
        }
    }

    /// Small shares keep a digit, so that few of many are not none.
    private static func percent(_ share: Double) -> String {
        let tenths = (share * 1000).rounded()
        if share > 0, tenths < 1 { return "less than 0.1 %" }
        return tenths < 100 && tenths > 0 ? "\(Int(tenths) / 10).\(Int(tenths) % 10) %" : "\(Int((share * 100).rounded())) %"
    }
}

extension Bottleneck {
    /// The stage that is marked in the drawing.
    var stage: String? {
        switch self {
        case .ordered(let times), .workers(let times), .crowded(let times, _): times.step.name
        case .processors(_, let steps): steps.first?.step.name
        case .tooShort, .reading, .unclear: nil
        }
    }
}
