import SluiceCEL

/// A file of a run and its role.
package struct RunFile: Hashable, Sendable {
    package enum Part: Hashable, Sendable {
        case input
        /// The pipeline file.
        case definition
        /// A table that a stage looks up records in.
        case table
        /// A list of the inputs.
        case list
        case sink
        case deadLetters
        /// The report in the state folder.
        case report
        /// The copy of the report that the command line asks for.
        case reportCopy
        /// Another file in the state folder.
        case state
    }

    package var part: Part
    /// As spelled by the user.
    package var path: String
    /// For a sink's file, the index of the sink in the run.
    package var sink = 0
}

/// Two files of a run that are the same; the first can be renamed.
package struct FileConflict: Hashable, Sendable {
    package var file: RunFile
    package var other: RunFile
    /// Whether instead the first is below the other, as if that were a folder.
    package var isBelow = false

    /// Names both files: `'./in.jsonl' is the input 'in.jsonl'`.
    package var message: String {
        let name = file.part == .sink && file.path == "-" ? "standard output" : "'\(file.path)'"
        return "\(name) \(isBelow ? "is below" : "is") \(otherTitle)"
    }

    private var otherTitle: String {
        let path = other.path.isSame(as: file.path) ? "" : " '\(other.path)'"
        switch other.part {
        case .input: return path.isEmpty ? "also an input" : "the input" + path
        case .definition: return "the pipeline file" + path
        case .list: return "the list of the inputs" + path
        case .table: return "the table" + path
        case .sink where other.path == "-": return path.isEmpty ? "also written by another sink" : "standard output"
        case .sink: return (file.part == .sink ? "the file of another sink" : "the sink's file") + path
        case .deadLetters: return "the dead-letter file" + path
        case .report, .reportCopy: return "the report" + path
        case .state: return path.isEmpty ? "reserved for the run's state" : "the run's state" + path
        }
    }

    package var fix: String {
        switch file.part {
        case .deadLetters: "write dead letters to another file"
        case .report: "use another state folder (--state)"
        case .reportCopy: "write the report to another file"
        default: "write to another file"
        }
    }

    /// The same conflict, described from the other file.
    package var reversed: FileConflict { FileConflict(file: other, other: file, isBelow: isBelow) }

    /// The key or option that names the first file.
    package var label: String {
        switch file.part {
        case .deadLetters: "dead_letter"
        case .report: "report"
        case .reportCopy: "--report"
        default: "sink"
        }
    }
}
