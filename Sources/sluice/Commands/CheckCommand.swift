import ArgumentParser

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Say everything that is wrong with a pipeline file, at once.",
        discussion: """
            Reads the pipeline file and nothing else: no record is read and no file is written. Each message names the file, line and column, \
            shows the line with a mark below the text that is meant, and says what to do.

            EXAMPLES
              sluice check pipelines/access-errors.yaml
              sluice check pipelines/access-errors.yaml --set out=/srv/errors

            EXIT CODES
              0  the file can be run
              2  it cannot
            """)

    @OptionGroup var pipeline: PipelineOptions

    func run() throws {
        _ = try pipeline.checked()
        Terminal.output.write("\(pipeline.file): ok\n")
    }
}
