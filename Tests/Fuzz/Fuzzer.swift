/// A way to feed arbitrary bytes to a part of the program. A crash, a hang, a sanitizer's report or
/// a failed `require` is a finding.
protocol Fuzzer: Sendable {
    /// As given to `scripts/fuzz`.
    static var name: String { get }

    init()

    /// Bytes to begin with.
    var seeds: [[UInt8]] { get }

    func run(_ bytes: [UInt8])
}

enum Fuzzers {
    static let all: [any Fuzzer.Type] = [
        InputFuzzer.self, ArchiveFuzzer.self, FormatFuzzer.self, ExpressionFuzzer.self, DefinitionFuzzer.self, StateFuzzer.self, NameFuzzer.self,
        TableFuzzer.self, PlanFuzzer.self, ReplayFuzzer.self, DatabaseFuzzer.self,
    ]
}

/// Ends the process with the message unless the condition holds.
func require(_ condition: @autoclosure () -> Bool, _ message: @autoclosure () -> String) {
    if !condition() { fatalError(message()) }
}
