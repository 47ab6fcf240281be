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

    static let source = Keys(
        required: [Required(name: "files", example: "files: logs/*.gz")], optional: ["format", "on_damage", "max_record"],
        later: ["multiline"])

    static let sink = Keys(optional: ["file", "stdout", "format", "level", "order"])
    static let limits = Keys(optional: ["dead_letters", "memory"])
    static let workers = Keys(required: [Required(name: "max", example: "max: 8")], optional: ["min"])
    static let retry = Keys(required: [Required(name: "times", example: "times: 3")], optional: ["backoff", "max_backoff"])
    static let parse = Keys(
        required: [Required(name: "field", example: "field: line"), Required(name: "format", example: "format: jsonl")],
        optional: ["into", "pattern"])
    static let regex = Keys(required: [Required(name: "pattern", example: #"pattern: '^(?P<host>\S+) (?P<rest>.*)$'"#)])
    static let test = Keys(
        required: [Required(name: "name", example: "name: probes are left out"), Required(name: "input", example: "input: ['…']")],
        optional: ["output", "dead_letters"])

    static let stageOptions = ["name", "workers", "queue", "timeout", "retry", "on_error"]
    static let verbs = ["keep", "drop", "set", "select", "remove", "rename", "parse", "exec"]
    static let laterVerbs = ["explode", "redact", "dedupe", "sample", "throttle", "lookup", "summarize", "sort", "head", "http"]
}
