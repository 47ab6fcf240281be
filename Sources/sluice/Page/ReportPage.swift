import FoundationEssentials
import SluiceRecords

/// A run as one page of HTML that needs nothing but itself.
///
/// Texts of records, names of files and the like are in one block of JSON, which the page's script
/// shows as text. The page's policy allows no other script, and nothing from elsewhere.
struct ReportPage {
    let model: PageModel

    /// - Parameter folder: the state folder, where the samples of the run may be.
    init(_ report: RunReport, state folder: String) {
        let digest = report.digest ?? report.ownDigest
        let samples = RunSamples(state: folder).flatMap { $0.report == digest ? $0 : nil }
        model = PageModel(report, samples: samples, letters: PageLetters.of(report), made: "Made by sluice \(Version.text).")
    }

    /// The page of a run that has not written its report.
    ///
    /// - Parameters:
    ///   - samples: at least one.
    ///   - folder: the state folder.
    ///   - isRunning: whether it goes on.
    init(unfinished samples: RunSamples, state folder: String, isRunning: Bool) {
        let state = isRunning ? UnfinishedRun.running : .killed(isResumable: StateInspection.hasCheckpoint(folder))
        model = PageModel(unfinished: samples, state, made: "Made by sluice \(Version.text).")
    }

    /// The page of a run that goes on.
    ///
    /// - Parameters:
    ///   - isWhole: whether with all samples, not just the newest.
    ///   - event: the name of the last event, which the page need not be sent again.
    init(_ view: LiveView, isWhole: Bool, after event: String?) {
        model = PageModel(view, isWhole: isWhole, after: event, made: "Made by sluice \(Version.text).")
    }

    var html: [UInt8] {
        get throws {
            let style = PackageResources.page_css
            let script = PackageResources.page_js + (model.live == nil ? [] : PackageResources.live_js)
            let data = try model.json
            return Self.filled(
                PackageResources.page_html,
                [
                    "style": style, "script": script, "style-hash": Self.hash(of: style), "script-hash": Self.hash(of: script), "data": data,
                    // The page of a report connects to nothing.
                    "connect": model.live == nil ? [] : Array("connect-src 'self'; ".utf8),
                    "summary": Self.plain(summary),
                ])
        }
    }

    /// What readers without scripts see.
    private var summary: String {
        let hasEnded = RunReport.Status(rawValue: model.status) != nil
        return hasEnded ? RunSummary.text(model.report, reportFile: nil) : model.sentences.map(\.text).joined(separator: "\n")
    }

    /// The template with `{{name}}` replaced, in one pass: what comes in is not looked at again.
    static func filled(_ template: [UInt8], _ values: [String: [UInt8]]) -> [UInt8] {
        var page: [UInt8] = []
        var rest = template[...]
        while let start = rest.firstRange(of: "{{".utf8), let end = rest[start.upperBound...].firstRange(of: "}}".utf8) {
            page += rest[..<start.lowerBound]
            page += values[String(decoding: rest[start.upperBound..<end.lowerBound], as: UTF8.self)] ?? []
            rest = rest[end.upperBound...]
        }
        return page + rest
    }

    /// As a policy names the text of an element.
    private static func hash(of text: [UInt8]) -> [UInt8] {
        let digits = Array(Digest.of(String(decoding: text, as: UTF8.self)).utf8)
        let bytes = stride(from: 0, to: digits.count, by: 2).map { UInt8(String(decoding: digits[$0...$0 + 1], as: UTF8.self), radix: 16) ?? 0 }
        return Array("sha256-\(Data(bytes).base64EncodedString())".utf8)
    }

    /// Text for readers without scripts: everything that is not a letter, a digit or a space is
    /// written as its number.
    static func plain(_ text: String) -> [UInt8] {
        var plain = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "a"..."z", "A"..."Z", "0"..."9", " ", "\n": plain.unicodeScalars.append(scalar)
            default: plain += "&#\(scalar.value);"
            }
        }
        return Array(plain.utf8)
    }
}
