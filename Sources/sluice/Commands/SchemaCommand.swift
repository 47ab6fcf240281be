import ArgumentParser
import SluiceDefinition

struct SchemaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema",
        abstract: "Print the JSON Schema of pipeline files, for editors.",
        discussion: """
            The schema (2020-12) has every key, verb, format and option with its documentation, for editors to complete and check. \
            It only covers the shape of a file; 'sluice check' also finds errors in expressions, fields and files on disk.

            EXAMPLES
              sluice schema > pipeline.schema.json

              An editor with a YAML language server finds it through the first line of the pipeline file:
              # yaml-language-server: $schema=pipeline.schema.json

            EXIT CODES
              0  the schema was written to standard output
            """)

    func run() {
        Terminal.output.write(PipelineSchema.json())
    }
}
