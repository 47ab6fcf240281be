import SluiceRecords

/// The comparisons of an audit, and their results.
enum AuditSummary {
    static func text(_ audit: Audit, of report: RunReport) -> String {
        let wrong = audit.findings.filter { !$0.holds }
        var text = ""
        for finding in wrong {
            text += "\(finding.subject): \(finding.quantity): \(finding.witness) says \(shown(finding.reported)), found \(shown(finding.found))\n"
        }
        for reason in audit.skipped { text += "skipped: \(reason)\n" }
        let compared = "\(Figures.count(audit.findings.count)) comparisons"
        text +=
            wrong.isEmpty
            ? "\(report.pipeline): verified against its files: all \(compared) hold\n"
            : "\(report.pipeline): DOES NOT MATCH its files: \(Figures.count(wrong.count)) of \(compared) do not hold\n"
        if !audit.unproved.isEmpty { text += "not proved: \(audit.unproved.joined(separator: "; "))\n" }
        return text
    }

    private static func shown(_ text: String) -> String { Figures.shortened(text, to: 200) }
}
