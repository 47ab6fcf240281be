/// The progress of a run on one line.
struct ProgressLine: Equatable {
    var records: Int
    var deadLetters: Int
    /// Bytes read of all inputs, before decompression.
    var compressedRead: UInt64
    /// `nil` if unknown, as for standard input.
    var compressedTotal: UInt64?
    /// Decompressed text, over the last moments.
    var bytesPerSecond: Double
    /// The remaining time; `nil` if it cannot be told yet.
    var secondsLeft: Double?

    /// The share of the input that was read, 0 to 1.
    var share: Double? {
        guard let total = compressedTotal, total > 0 else { return nil }
        return min(1, Double(compressedRead) / Double(total))
    }

    var text: String {
        var parts = ["\(Figures.count(records)) records", "\(Figures.bytes(UInt64(max(0, bytesPerSecond))))/s"]
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

    /// The line, preceded by codes that clear the previous one, for a terminal of this many
    /// columns.
    func overwriting(width: Int) -> String {
        "\r\u{1B}[2K" + String(text.prefix(max(10, width - 1)))
    }
}
