import ArgumentParser
import FoundationEssentials
import SluiceCEL

/// Interprets the first words of the command line: `sluice FILE.yaml` runs the file, and a mistyped
/// command is not treated as an argument.
struct CommandWords {
    let arguments: [String]

    /// - Throws: `ValidationError` if the first word is neither a command nor a file.
    init(_ words: some Collection<String>) throws {
        let words = Array(words)
        let commands = SluiceCommand.configuration.subcommands.map { $0.configuration.commandName ?? "" } + ["help"]
        guard let first = words.first, !first.hasPrefix("-") || first == "-", !commands.contains(first) else {
            arguments = words
            return
        }
        let isPipelineFile = first == "-" || [".yaml", ".yml"].contains { first.hasSuffix($0) } || FileManager.default.fileExists(atPath: first)
        guard isPipelineFile else {
            let near = Spelling.nearest(to: first, among: commands).map { " (did you mean '\($0)'?)" } ?? ""
            throw ValidationError("There is no command '\(first)'\(near). The commands are: \(commands.dropLast().joined(separator: ", ")).")
        }
        arguments = [RunCommand.configuration.commandName ?? ""] + words
    }
}
