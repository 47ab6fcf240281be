import Foundation
import SluiceCEL

/// How many cases of each suite pass. Cases that need protocol-buffer messages are skipped.
struct ConformanceReport {
    private struct Tally {
        var passed = 0
        var run = 0
        var skipped = 0
    }

    private var suites: [String: Tally] = [:]
    private var skipped: [String: Int] = [:]
    private(set) var failures: [String] = []
    private var passed = 0
    private var run = 0

    init(_ lines: [ConformanceLine]) {
        for line in lines {
            switch line {
            case .skipped(let heading):
                skipped[heading.class, default: 0] += 1
                suites[heading.file, default: Tally()].skipped += 1
            case .unreadable(let heading, let problem): count(heading.file, failure: "\(heading.id) cannot be read: \(problem)")
            case .plain(let plain): count(plain.file, failure: plain.failure().map { "\(plain.id): \(plain.expr) \($0)" })
            }
        }
    }

    var isComplete: Bool { run > 0 && passed == run }

    private mutating func count(_ file: String, failure: String?) {
        run += 1
        suites[file, default: Tally()].run += 1
        if let failure {
            failures.append(failure)
        } else {
            passed += 1
            suites[file, default: Tally()].passed += 1
        }
    }

    var lines: [String] {
        var lines = failures.map { "failed: \($0)" }
        for (suite, tally) in suites.sorted(by: { $0.key < $1.key }) {
            let note = tally.skipped > 0 ? ", \(tally.skipped) skipped" : ""
            lines.append("\(suite): \(tally.passed) of \(tally.run)\(note)")
        }
        let reasons = ["proto": "protocol-buffer messages", "proto_wkt": "well-known protocol-buffer types"]
        for (name, count) in skipped.sorted(by: { $0.key < $1.key }) {
            lines.append("skipped: \(count) of class \(name) (\(reasons[name] ?? "unknown"))")
        }
        return lines + ["plain: \(passed) passed of \(run)"]
    }
}
