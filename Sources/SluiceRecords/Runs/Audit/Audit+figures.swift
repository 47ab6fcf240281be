import SluiceCEL

/// The report, compared with itself and with its pipeline.
extension Audit {
    mutating func check(_ report: RunReport) {
        compare("report", "schema", report.schema, RunReport.schema)
        if let digest = report.digest { compare("report", "digest", digest, report.ownDigest ?? "none") }
        let isDigest = report.definition.wholeMatch(of: /sha256:[0-9a-f]*/) != nil
        compare("report", "the definition", "a digest", isDigest ? "a digest" : "'\(report.definition)'")
    }

    /// Compares the definition, the stages and their order with the pipeline file.
    mutating func compare(_ report: RunReport, with pipeline: RecordPipeline) {
        compare("report", "pipeline", report.pipeline, pipeline.name)
        compare("report", "definition", report.definition, pipeline.definition)
        let places = PipelineOutline(pipeline, threads: 1).places
        let stages = report.stages.map { "\($0.name) (\($0.verb))" }
        compare("report", "stages", stages.joined(separator: ", "), places.map { "\($0.name) (\($0.verb))" }.joined(separator: ", "))
    }

    /// Compares the report's counts with each other.
    mutating func recount(_ report: RunReport) {
        let start = findings.count
        let records = report.records
        compare(
            "run", "read = written + filtered + dead + absorbed - added", records.read + records.added,
            records.written + records.filtered + records.dead + records.absorbed)
        compare("run", "records read, over all inputs", records.read, report.inputs.reduce(0) { $0 + $1.records })
        compare("run", "dead letters, over all codes", records.dead, report.deadLetters.byCode.values.reduce(0, +))
        for input in report.inputs {
            compare(
                input.file, "records + added = written + filtered + dead + absorbed", input.records + input.added,
                input.written + input.filtered + input.dead + input.absorbed)
        }
        for stage in report.stages {
            compare(
                "stage '\(stage.name)'", "in + added = out + filtered + dead + absorbed", stage.in + stage.added,
                stage.out + stage.filtered + stage.dead + stage.absorbed)
        }
        if let replay = report.replay, report.status == .complete || report.status == .losses {
            compare("replay", "letters = resolved + filtered + dead + kept + known + blank", true, replay.isBalanced)
            compare("replay", "letters, over all inputs", replay.letters, records.read)
        }
        compareStages(of: report)
        compareTotals(of: report)
        compare("report", "balanced", report.balanced, findings[start...].allSatisfy(\.holds))
        guard report.status == .complete || report.status == .losses else { return }
        let isDamaged = report.inputs.contains { !$0.damage.isEmpty }
        compare("report", "status", report.status, isDamaged || records.dead > 0 ? .losses : .complete)
        compare("run", "records written, over all outputs", records.written, report.outputs.reduce(0) { $0 + $1.records })
        compare("run", "dead letters in the file", records.dead, report.deadLetters.records)
    }

    /// What comes out of a stage must go into the stages after it: one, or several where a flow
    /// divides.
    private mutating func compareStages(of report: RunReport) {
        var before = report.stages.first?.name
        var received: [(stage: String, by: String, count: Int)] = []
        for next in report.stages.dropFirst() {
            if let stage = next.after ?? before {
                if let index = received.firstIndex(where: { $0.stage.isSame(as: stage) }) {
                    received[index].count += next.in
                    received[index].by += "', '\(next.name)"
                } else {
                    received.append((stage, next.name, next.in))
                }
            }
            before = next.name
        }
        for (stage, by, count) in received {
            let out = report.stages.first { $0.name.isSame(as: stage) }?.out
            compare("stage '\(by)'", "in = out of '\(stage)'", "\(count)", out.map { "\($0)" } ?? "no such stage")
        }
    }

    /// The counts of the run are the sums of those of its stages, and of its inputs unless records
    /// were combined to such that belong to no input.
    private mutating func compareTotals(of report: RunReport) {
        let records = report.records
        let stages = report.stages
        compare("stage '\(stages.first?.name ?? "source")'", "in = records read", stages.first?.in ?? 0, records.read)
        compare("run", "records written, over all sinks", records.written, stages.filter { $0.verb == "write" }.reduce(0) { $0 + $1.out })
        for (name, total, ofStage) in [
            ("filtered", records.filtered, \RunReport.Stage.filtered), ("dead", records.dead, \.dead), ("absorbed", records.absorbed, \.absorbed),
            ("added", records.added, \.added),
        ] {
            compare("run", "records \(name), over all stages", total, stages.reduce(0) { $0 + $1[keyPath: ofStage] })
        }
        // The results of a summary of nothing are added, too, although it absorbs nothing.
        guard records.absorbed == 0, records.added <= report.inputs.reduce(0, { $0 + $1.added }) else { return }
        for (name, total, ofInput) in [
            ("written", records.written, \RunReport.Input.written), ("filtered", records.filtered, \.filtered), ("dead", records.dead, \.dead),
            ("added", records.added, \.added),
        ] {
            compare("run", "records \(name), over all inputs", total, report.inputs.reduce(0) { $0 + $1[keyPath: ofInput] })
        }
    }
}
