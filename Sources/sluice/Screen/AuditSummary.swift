import SluiceRecords

/// The comparisons of an audit, and their results.
enum AuditSummary {
    static func text(_ audit: Audit, of report: RunReport) -> String {
        let wrong = audit.findings.filter { !$0.holds }
        var text = ""
        for finding in wrong {
            text += "\(finding.subject): \(finding.quantity): the report says \(finding.reported), found \(finding.found)\n"
        }
        for reason in audit.skipped { text += "skipped: \(reason)\n" }
        let compared = "\(Figures.count(audit.findings.count)) comparisons"
        text +=
            wrong.isEmpty
            ? "\(report.pipeline): verified against its files: all \(compared) hold\n"
            : "\(report.pipeline): DOES NOT MATCH its files: \(Figures.count(wrong.count)) of \(compared) do not hold\n"
        return text
    }
}
