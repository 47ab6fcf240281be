import SluiceRecords

/// `GET /metrics`, in Prometheus' text format, version 0.0.4.
enum LiveMetrics {
    enum Kind: String {
        case counter, gauge
    }

    typealias Labels = [(name: String, value: String)]

    static func text(_ view: LiveView) -> String {
        var metrics = MetricsText()
        let (report, last) = (view.report, view.samples.samples.last ?? RunSamples.Sample())
        metrics.add(
            "sluice_run_info", .gauge, "The run: always 1.",
            [([("pipeline", report.pipeline), ("definition", report.definition), ("version", Version.text), ("state", view.state.rawValue)], 1)])
        metrics.add("sluice_run_start_time_seconds", .gauge, "When the run began, in seconds since 1970.", view.samples.began)
        metrics.add("sluice_records_read_total", .counter, "Records that were read and whose fate is committed.", Double(report.records.read))
        metrics.add("sluice_records_written_total", .counter, "Records that were written.", Double(report.records.written))
        metrics.add("sluice_records_filtered_total", .counter, "Records that were left out on purpose.", Double(report.records.filtered))
        metrics.add(
            "sluice_dead_letters_total", .counter, "Records that failed, by code.",
            report.deadLetters.byCode.sorted { $0.key < $1.key }.map { ([("code", $0.key)], Double($0.value)) })
        metrics.add("sluice_damaged_places_total", .counter, "Places where an input was damaged.", Double(view.live.damage.count))
        metrics.add("sluice_text_bytes_total", .counter, "Decompressed text that was read.", Double(last.textBytes))
        metrics.add("sluice_input_bytes_total", .counter, "Bytes of the inputs that were consumed.", Double(last.compressedBytes))
        if let total = view.live.progress.compressedTotal { metrics.add("sluice_input_size_bytes", .gauge, "The size of all inputs.", Double(total)) }
        if let left = view.secondsLeft { metrics.add("sluice_remaining_seconds", .gauge, "An estimate of the time that is left.", left) }
        let steps = view.steps
        func each(_ name: String, _ kind: Kind, _ help: String, _ value: (LiveView.Step) -> Double?) {
            metrics.add(
                name, kind, help,
                steps.compactMap { step in value(step).map { ([("stage", step.step.name), ("kind", step.step.kind.rawValue)], $0) } })
        }
        each("sluice_stage_records_out_total", .counter, "Records that the stage has passed on.") { $0.stage.map { Double($0.out) } }
        each("sluice_stage_dead_letters_total", .counter, "Records that failed in the stage.") { $0.stage.map { Double($0.dead) } }
        each("sluice_stage_busy_seconds_total", .counter, "Time of its workers at work.", \.busy)
        each("sluice_stage_blocked_seconds_total", .counter, "Time of its workers with results that the next stage had no room for.", \.waited)
        each("sluice_stage_queued_batches", .gauge, "Batches that wait for a worker.") { Double($0.queued) }
        each("sluice_stage_workers", .gauge, "Workers that the stage may use now.") { Double($0.workers) }
        metrics.add("process_cpu_seconds_total", .counter, "Processor time of the process.", Double(last.processorTime) / 1e6)
        metrics.add("process_resident_memory_bytes", .gauge, "Resident memory of the process.", Double(last.memoryBytes))
        return metrics.text
    }
}

/// Writes metrics.
struct MetricsText {
    private(set) var text = ""

    mutating func add(_ name: String, _ kind: LiveMetrics.Kind, _ help: String, _ value: Double) { add(name, kind, help, [([], value)]) }

    /// Writes nothing if there are no values.
    mutating func add(_ name: String, _ kind: LiveMetrics.Kind, _ help: String, _ values: [(labels: LiveMetrics.Labels, value: Double)]) {
        guard !values.isEmpty else { return }
        text += "# HELP \(name) \(Self.escaped(help, isLabel: false))\n# TYPE \(name) \(kind.rawValue)\n"
        for (labels, value) in values {
            let list = labels.map { "\($0.name)=\"\(Self.escaped($0.value, isLabel: true))\"" }.joined(separator: ",")
            text += "\(name)\(list.isEmpty ? "" : "{\(list)}") \(Self.number(value))\n"
        }
    }

    private static func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : String(value)
    }

    /// A text on one line, within quotes if it is a label's.
    static func escaped(_ text: String, isLabel: Bool) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            case "\"" where isLabel: escaped += "\\\""
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
