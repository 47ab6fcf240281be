import ArgumentParser
import SluiceDefinition

struct SchemaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema",
        abstract: "Write the JSON Schema of pipeline files, for editors.",
        discussion: """
            The schema (2020-12) has every key, verb, format and option with its documentation, so that an editor completes and checks them as you type. \
            It knows shapes only: what is wrong with an expression, a field or a file on the disk, 'sluice check' says.

            EXAMPLES
              sluice schema > pipeline.schema.json

              An editor with a YAML language server takes it from the first line of the pipeline file:
              # yaml-language-server: $schema=pipeline.schema.json

            EXIT CODES
              0  the schema was written to standard output
            """)

    func run() {
        Terminal.output.write(PipelineSchema.json())
    }
}
