import SluiceRecords

/// What the page says of a run before it shows any figures.
enum PageSentences {
    static func ending(of report: RunReport) -> PageModel.Sentence {
        let records = report.records
        let time = Figures.seconds(report.elapsedSeconds)
        switch report.status {
        case .complete, .losses:
            let files = report.outputs.count == 1 ? "1 output" : "\(Figures.count(report.outputs.count)) outputs"
            let text = "\(Figures.count(records.read)) records were read and \(Figures.count(records.written)) written to \(files), in \(time)."
            return PageModel.Sentence(kind: report.status == .complete ? .good : .plain, text: text)
        case .failed:
            return PageModel.Sentence(kind: .bad, text: "The run failed after \(time): \(report.error ?? "the reason is unknown").")
        case .interrupted:
            let next = report.resumable == true ? "; the same command resumes it" : ""
            return PageModel.Sentence(kind: .bad, text: "The run was interrupted after \(time), and nothing was published\(next).")
        }
    }

    static func unfinished(_ report: RunReport, _ samples: RunSamples) -> PageModel.Sentence {
        let last = samples.samples.last
        let total = samples.compressedTotal.map(Double.init) ?? 0
        let share = total > 0 ? ", \(percent(min(1, Double(last?.compressedBytes ?? 0) / total))) of its input" : ""
        let dead = report.records.dead == 0 ? "none" : "\(Figures.count(report.records.dead))"
        return PageModel.Sentence(
            kind: .bad,
            text: "The run has not come to its end: it goes on, or it was killed. After \(Figures.seconds(report.elapsedSeconds)), "
                + "\(Figures.count(report.records.read)) records were read\(share); \(dead) of them had failed.")
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
        if dead > 0 {
            let share = report.records.read > 0 ? " (\(percent(Double(dead) / Double(report.records.read))) of those that were read)" : ""
            let most = report.deadLetters.byCode.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key
            let code = most.map { code in report.deadLetters.byCode.count == 1 ? ", with the code \(code)" : ", most often with the code \(code)" } ?? ""
            parts.append((dead == 1 ? "1 record is a dead letter" : "\(Figures.count(dead)) records are dead letters") + share + code)
        }
        if !damaged.isEmpty {
            let places = damaged.reduce(0) { $0 + $1.damage.count }
            let bytes = damaged.flatMap(\.damage).reduce(UInt64(0)) { $0 &+ $1.lostBytes }
            let inputs = report.inputs.count == 1 ? "the input" : "\(Figures.count(damaged.count)) of \(Figures.count(report.inputs.count)) inputs"
            let lost = bytes > 0 ? ", where \(Figures.bytes(bytes)) could not be read" : ""
            parts.append("\(inputs) damaged in \(places == 1 ? "1 place" : "\(Figures.count(places)) places")\(lost)")
        }
        return PageModel.Sentence(kind: .bad, text: "Losses: " + parts.joined(separator: "; ") + ".")
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
            "There is no clear bottleneck: the busiest step, \(subject(busiest.step)), was busy for \(percent(busiest.share)) of its workers' time."
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
