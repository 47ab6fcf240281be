import SluiceRecords

/// What became of replayed dead letters.
enum ReplaySummary {
    /// What there is to know before the replay; `nil` if there is nothing.
    static func notice(_ preview: RunReport.Replay, definition file: String) -> String? {
        let count = preview.ofOtherDefinitions
        guard count > 0 else { return nil }
        return "sluice: \(Figures.count(count)) of \(Figures.count(preview.letters)) dead letters are from another version of \(file), or other parameters\n"
    }

    /// Why there is nothing to replay.
    static func idle(_ preview: RunReport.Replay, _ letters: String) -> String {
        guard preview.letters > preview.blank else { return "sluice: \(letters): no dead letters, so there is nothing to replay\n" }
        var text = "sluice: \(letters): nothing to replay"
        if preview.known > 0 {
            text += preview.known == 1 ? "; 1 dead letter was" : "; \(Figures.count(preview.known)) dead letters were"
            text += " dealt with by earlier replays (--again replays them)"
        }
        return text + "\n" + kept(preview)
    }

    /// The line of the summary that counts the letters.
    static func text(_ replay: RunReport.Replay, hasFailed: Bool) -> String {
        guard !hasFailed else { return kept(replay) }
        var text = "  replayed: \(Figures.count(replay.resolved)) of \(Figures.count(replay.letters - replay.blank)) resolved"
        if replay.filtered > 0 { text += ", \(Figures.count(replay.filtered)) filtered" }
        if replay.dead > 0 { text += ", \(Figures.count(replay.dead)) dead again" }
        if replay.known > 0 { text += ", \(Figures.count(replay.known)) dealt with before" }
        if replay.kept > 0 { text += ", \(Figures.count(replay.kept)) not replayed" }
        return text + "\n" + kept(replay)
    }

    /// The reasons why letters cannot be replayed, the most frequent first.
    private static func kept(_ replay: RunReport.Replay) -> String {
        let reasons = replay.reasons.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        let shown = reasons.prefix(RunSummary.listed).map { "  not replayed: \(Figures.count($0.value)): \(Figures.shortened($0.key, to: 200))\n" }
        return shown.joined() + (reasons.count > shown.count ? "  and \(reasons.count - shown.count) more reasons in the report\n" : "")
    }
}
