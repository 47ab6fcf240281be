internal import SluiceRecords

/// The keys that one map of the pipeline file takes.
struct Keys {
    struct Required {
        var name: String
        /// How it may be written.
        var example: String
    }

    var required: [Required] = []
    var optional: [String] = []
    /// In the contract, and not built yet.
    var later: [String] = []

    var taken: [String] { required.map(\.name) + optional }

    static let file = Keys(
        required: [
            Required(name: "name", example: "name: access-errors"),
            Required(name: "source", example: "source: {files: logs/*.gz, format: combined}"),
        ],
        optional: ["description", "params", "stages", "sink", "dead_letter", "limits", "tests"],
        later: ["routes", "match"])

    static let limits = Keys(optional: ["dead_letters", "memory"])
    static let workers = Keys(required: [Required(name: "max", example: "max: 8")], optional: ["min"])
    static let retry = Keys(required: [Required(name: "times", example: "times: 3")], optional: ["backoff", "max_backoff"])
    static let test = Keys(
        required: [Required(name: "name", example: "name: probes are left out"), Required(name: "input", example: "input: ['…']")],
        optional: ["output", "dead_letters"])

    static let stageOptions = ["name", "workers", "queue", "timeout", "retry", "on_error"]
    static let laterVerbs = ["explode", "redact", "dedupe", "sample", "throttle", "lookup", "summarize", "sort", "head", "http"]
    static let laterFormats = ["tsv", "logfmt", "syslog"]
}

extension Keys {
    /// The keys of a declared map.
    init(_ keys: [ArgumentKey], later: [String] = []) {
        required = keys.filter(\.isRequired).map { Required(name: $0.name, example: $0.example) }
        optional = keys.filter { !$0.isRequired }.map(\.name)
        self.later = later
    }
}
