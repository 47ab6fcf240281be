import SluiceRecords

extension RunSummary {
    /// The most inputs with damage that are named; the rest is in the report.
    private static let mostInputs = 100

    /// The summary as log entries: one for each stage, each damaged input, each code of dead
    /// letters, and one for the run.
    static func entries(_ report: RunReport, reportFile: String?, streamed: StreamedRecords = StreamedRecords()) -> [LogEntry] {
        report.stages.map(stage) + damaged(report.inputs) + letters(report) + [run(report, reportFile, streamed)]
    }

    private static func stage(_ stage: RunReport.Stage) -> LogEntry {
        LogEntry(
            .info, "stage '\(stage.name)': \(Figures.count(stage.in)) in, \(Figures.count(stage.out)) out",
            [
                "sluice.stage": .text(stage.name), "sluice.verb": .text(stage.verb), "sluice.in": .integer(stage.in), "sluice.out": .integer(stage.out),
                "sluice.filtered": .integer(stage.filtered), "sluice.dead": .integer(stage.dead), "sluice.dropped": .integer(stage.dropped),
                "sluice.added": .integer(stage.added), "sluice.absorbed": .integer(stage.absorbed), "sluice.retries": .integer(stage.retries),
                "sluice.timeouts": .integer(stage.timeouts), "sluice.busy_seconds": .number(stage.busySeconds), "sluice.workers": .integer(stage.workers.peak),
            ])
    }

    private static func damaged(_ inputs: [RunReport.Input]) -> [LogEntry] {
        let damaged = inputs.filter { !$0.damage.isEmpty }
        let entries = damaged.prefix(mostInputs).map { input in
            let first = input.damage[0]
            return LogEntry(
                .warning, "input damaged in \(input.damage.count == 1 ? "1 place" : "\(Figures.count(input.damage.count)) places")",
                [
                    "file.path": .text(input.file), "error.type": .text(first.kind), "sluice.offset": .integer(Int(clamping: first.offset)),
                    "sluice.places": .integer(input.damage.count),
                    "sluice.lost_bytes": .integer(Int(clamping: input.damage.reduce(UInt64(0)) { $0 &+ $1.lostBytes })),
                ])
        }
        guard damaged.count > mostInputs else { return entries }
        return entries + [LogEntry(.warning, "\(Figures.count(damaged.count - mostInputs)) more inputs are damaged; the report names them")]
    }

    private static func letters(_ report: RunReport) -> [LogEntry] {
        report.deadLetters.byCode.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { code, count in
            let first = report.deadLetters.first?[code]
            return LogEntry(
                .warning, first?.message ?? "records failed",
                [
                    "error.type": .text(code), "sluice.stage": LogEntry.Value(first?.stage), "sluice.dead": .integer(count),
                    "file.path": LogEntry.Value(first?.file),
                    "sluice.line": LogEntry.Value(first?.line.map { Int(clamping: $0) }),
                ])
        }
    }

    private static func run(_ report: RunReport, _ reportFile: String?, _ streamed: StreamedRecords) -> LogEntry {
        let severity: LogEntry.Severity =
            switch report.status {
            case _ where !report.balanced && report.status != .interrupted: .error
            case .complete: .info
            case .losses, .interrupted: .warning
            case .failed: .error
            }
        let records = report.records
        return LogEntry(
            severity, "\(report.pipeline): \(ending(of: report, streamed)) in \(Figures.seconds(report.elapsedSeconds))",
            [
                "sluice.pipeline": .text(report.pipeline), "sluice.definition": .text(report.definition), "sluice.status": .text(report.status.rawValue),
                "sluice.balanced": .flag(report.balanced), "sluice.read": .integer(records.read), "sluice.written": .integer(records.written),
                "sluice.filtered": .integer(records.filtered), "sluice.dead": .integer(records.dead), "sluice.added": .integer(records.added),
                "sluice.absorbed": .integer(records.absorbed), "sluice.seconds": .number(report.elapsedSeconds),
                "sluice.outputs": .integer(report.outputs.count), "sluice.report": LogEntry.Value(reportFile),
                "sluice.dead_letters": LogEntry.Value(records.dead > 0 ? report.deadLetters.file : nil), "exception.message": LogEntry.Value(report.error),
            ])
    }
}
