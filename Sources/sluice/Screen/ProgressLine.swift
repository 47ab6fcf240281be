/// The progress of a run on one line.
struct ProgressLine: Equatable {
    var records: Int
    /// Records that are inside stages with workers of their own, which have finished them.
    var inStages = 0
    var deadLetters: Int
    /// The share of the run that is done, 0 to 1; `nil` if unknown, as for standard input.
    var share: Double?
    /// Decompressed text, over the last moments; `nil` before any is committed.
    var bytesPerSecond: Double?
    /// The remaining time; `nil` if it cannot be told yet.
    var secondsLeft: Double?

    var text: String {
        let more = inStages > 0 ? " (\(Figures.count(inStages)) more in stages)" : ""
        var parts = ["\(Figures.count(records, "record"))\(more)"]
        if let bytesPerSecond { parts.append("\(Figures.bytes(Int(bytesPerSecond)))/s") }
        if let share { parts.append(Figures.percent(share)) }
        if share == 1 {
            // Closing stages may return their results, or outputs be synced to disk.
            parts.append("finishing")
        } else if let secondsLeft {
            parts.append("ETA \(Figures.clock(secondsLeft))")
        }
        parts.append("\(Figures.count(deadLetters)) dead")
        return parts.joined(separator: "  ")
    }

    var entry: LogEntry {
        LogEntry(
            .info, text,
            [
                "sluice.records": .integer(records), "sluice.records_in_stages": .integer(inStages), "sluice.dead": .integer(deadLetters),
                "sluice.bytes_per_second": LogEntry.Value(bytesPerSecond.map { Int($0) }),
                "sluice.share": LogEntry.Value(share), "sluice.eta_seconds": LogEntry.Value(secondsLeft),
            ])
    }

    /// The line, preceded by codes that clear the previous one, for a terminal of this many
    /// columns.
    func overwriting(width: Int) -> String {
        "\r\u{1B}[2K" + String(text.prefix(max(10, width - 1)))
    }
}
