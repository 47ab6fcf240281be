/// Why a child process did not answer a record.
struct ChildFailure: Error, Equatable {
    enum Code: String {
        case timeout
        /// The child exited without an answer.
        case exit = "exec.exit"
        /// The child violated the protocol of one line in, one line out.
        case breach = "exec.protocol"
        case spawn = "exec.spawn"
        /// No task waits for the answer any more.
        case cancelled
    }

    var code: Code
    var message: String

    static let givenUp = ChildFailure(code: .cancelled, message: "cancelled")

    static func noAnswer(in timeout: Duration) -> ChildFailure {
        ChildFailure(code: .timeout, message: "no answer in \(timeout.inWords)")
    }
}

extension Duration {
    /// `5 s`, `1.5 s`, `200 ms`.
    var inWords: String {
        let milliseconds = components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
        guard milliseconds >= 1000 else { return "\(milliseconds) ms" }
        let rest = milliseconds % 1000
        guard rest > 0 else { return "\(milliseconds / 1000) s" }
        let digits = String(1000 + rest).dropFirst()
        let fraction = digits.reversed().drop { $0 == "0" }.reversed()
        return "\(milliseconds / 1000).\(String(fraction)) s"
    }
}
