/// The meanings of the command's exit codes.
enum ExitStatus: Error, Equatable {
    case complete
    /// Nothing was published, or not everything.
    case failed
    /// The definition or the command line is invalid; nothing was read.
    case wrong
    /// Complete, with losses on record.
    case losses
    /// Ended by a signal, after what was in flight was finished.
    case interrupted(signal: Int32)

    var code: Int32 {
        switch self {
        case .complete: 0
        case .failed: 1
        case .wrong: 2
        case .losses: 3
        case .interrupted(let signal): 128 + signal
        }
    }

    /// The end of a help text.
    static let manual = """
        EXIT CODES
          0        complete: every record was written or filtered
          1        failed: nothing was published, or the summary says what was
          2        the pipeline file or the command line is invalid; nothing was read
          3        complete, with losses (dead letters, damaged input)
          130, 143 interrupted by SIGINT, SIGTERM: nothing was published
          129, 131 the same by SIGHUP, SIGQUIT
          141      the reader of standard output closed it, as 'head' does
        """
}
