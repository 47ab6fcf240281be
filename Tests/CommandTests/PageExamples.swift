/// The examples of a page of the documentation.
///
/// Each begins with a `yaml` block: a pipeline, or the stages of one that reads JSON lines. The
/// blocks with its input and, in the language `text`, its output follow in the same section. A
/// block whose fence also names a file, such as `csv teams.csv`, is a file of that name. In place
/// of the output there may be a `sh` block of commands that run the pipeline, with what they print.
struct PageExamples {
    struct Example {
        /// The heading that it is under.
        var section: String
        var pipeline: String
        var input = ""
        var files: [String: String] = [:]
        /// The index of the block with its output.
        var output = 0
        /// Whether that block also has the commands that give it.
        var isTranscript = false
        /// The dead letters that the text after the output speaks of.
        var deadLetters: [(code: String, message: String)] = []

        var name: String { pipeline.firstMatch(of: /name: (?<name>\S+)/).map { String($0.output.name) } ?? "" }
    }

    var document: MarkdownBlocks
    private(set) var examples: [Example] = []

    init(_ page: String) throws {
        document = try MarkdownBlocks(page)
        var section = ""
        var current: Example?
        for (index, block) in document.blocks.enumerated() {
            let headings = block.before.split(separator: "\n").filter { $0.hasPrefix("#") }
            if let heading = headings.last { (section, current) = (String(heading.drop { $0 == "#" }.dropFirst()), nil) }
            let words = block.language.split(separator: " ").map(String.init)
            if words == ["yaml"] {
                current = Example(section: section, pipeline: Self.pipeline(block.text))
            } else if words == ["text"] {
                guard var example = current else { continue }
                example.output = index
                example.deadLetters = Self.deadLetters(document.text(after: index))
                examples.append(example)
                current = nil
            } else if words == ["sh"], var example = current, block.text.contains("$ sluice run \(example.name).yaml ") {
                (example.output, example.isTranscript) = (index, true)
                examples.append(example)
                current = nil
            } else if words.count == 2 {
                current?.files[words[1]] = block.text
            } else {
                current?.input = block.text
            }
        }
    }

    func output(of example: Example) -> String { document.blocks[example.output].text }

    /// A program that the commands of an example need and this machine lacks.
    func missingProgram(of example: Example) throws -> String? {
        guard example.isTranscript else { return nil }
        let command = try CommandUnderTest()
        defer { command.remove() }
        let programs = output(of: example).split(separator: "\n").filter { $0.hasPrefix("$ ") }.compactMap { $0.dropFirst(2).split(separator: " ").first }
        return try programs.first { try command.shell("command -v \($0)").status != 0 }.map(String.init)
    }

    /// Runs an example in a folder of its own.
    func run(_ example: Example) throws -> (result: CommandUnderTest.Result, deadLetters: String) {
        let command = try CommandUnderTest()
        defer { command.remove() }
        for (name, text) in example.files { try command.write(text, to: name) }
        try command.write(example.pipeline, to: "\(example.name).yaml")
        if let input = example.pipeline.firstMatch(of: /files: (?<name>[^\s,}]+)/)?.output.name { try command.write(example.input, to: String(input)) }
        if example.isTranscript {
            return (CommandUnderTest.Result(status: 0, output: try command.transcript(of: output(of: example)), error: ""), "")
        }
        let result = try command.run(["run", "\(example.name).yaml", "--progress", "none"], environment: ["REDACT_KEY": "secret"])
        return (result, try command.text(of: ".sluice/\(example.name)/dead-letter.jsonl.gz"))
    }

    private static func pipeline(_ block: String) -> String {
        guard block.hasPrefix("stages:\n") else { return block }
        return "name: example\nsource: {files: in.jsonl}\n\(block)sink: {stdout: true}\n"
    }

    private static func deadLetters(_ text: String) -> [(code: String, message: String)] {
        text.matches(of: /is a dead letter: `(?<code>[a-z_.]+)`, `(?<message>[^`]+)`/).map { (String($0.output.code), String($0.output.message)) }
    }
}
