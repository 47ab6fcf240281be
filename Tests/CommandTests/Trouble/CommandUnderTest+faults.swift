import Foundation
import Testing

/// Runs of which one system call that changes a file fails or is the last one, by
/// `Tests/Trouble/faults.c`.
extension CommandUnderTest {
    /// Whether all calls are to be tried, or a sample.
    static let isWholeTrouble = ProcessInfo.processInfo.environment["SLUICE_TROUBLE"] != nil

    /// Prints how many calls there are, if each is to be tried: the figures of docs/promises.md.
    static func tell(_ calls: Int, _ kind: String) {
        if isWholeTrouble { print("\(Test.current?.displayName ?? "?"): \(kind) each of \(calls) calls") }
    }

    private static let faults = Swift.Result { try TroubleLibrary.build("faults") }

    /// - Parameters:
    ///   - call: which call, from 1; 0: none.
    ///   - kind: `before` or `after` for the process to be killed then, or the number of the error
    ///     that the call fails with.
    /// - Returns: also the number of calls, if the process has not been killed.
    func run(_ arguments: [String], failingAt call: Int, _ kind: String, environment: [String: String]) throws -> (Result, calls: Int) {
        let count = folder.appending(path: "calls").path
        let faults = ["LD_PRELOAD": try Self.faults.get(), "SLUICE_FAULT_AT": "\(call)", "SLUICE_FAULT": kind, "SLUICE_FAULT_COUNT": count]
        let result = try run(arguments, environment: environment.merging(faults) { $1 })
        let calls = (try? String(contentsOfFile: count, encoding: .utf8)).flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
        try? FileManager.default.removeItem(atPath: count)
        return (result, calls ?? 0)
    }
}
