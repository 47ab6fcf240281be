/// Why an output cannot be written.
package enum OutputError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Standard output has no reader any more: a normal end, not a failure.
    case closed
    case failed(path: String, reason: String)

    package var description: String {
        switch self {
        case .closed: "standard output was closed by its reader"
        case .failed(let path, let reason): "\(path): \(reason)"
        }
    }

    static func failed(_ path: String, _ action: String, _ error: Int32) -> OutputError {
        .failed(path: path, reason: "\(action): \(describe(error: error))")
    }
}
