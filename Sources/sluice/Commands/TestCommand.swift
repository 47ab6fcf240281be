import ArgumentParser
import SluiceDefinition
import SluiceRecords

struct TestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test",
        abstract: "Run the tests of pipeline files.",
        discussion: """
            A pipeline file can contain tests: input records, and what must become of them. They go through the file's format, stages and writer, all in \
            memory: the inputs need not exist, and nothing is written, but the programs of 'exec' stages are started and the requests of 'http' stages sent. Differences from the expected \
            result are shown line by line.

              tests:
                - name: probes are filtered
                  input: ['10.0.0.1 - - [10/Oct/2025:13:55:36 +0000] "GET /healthz HTTP/1.1" 200 2 "-" "kube-probe"']
                  output: []
                - name: garbage is a dead letter
                  input: ['hello']
                  dead_letters: [{stage: source, code: parse.combined}]

            EXAMPLES
              sluice test pipelines/access-errors.yaml
              sluice test pipelines/*.yaml

            EXIT CODES
              0  all tests passed
              1  a test failed
              2  a pipeline file is invalid, or none has tests
            """)

    @ArgumentParser.Argument(help: "Pipeline files.", completion: .file(extensions: ["yaml", "yml"]))
    var files: [String]

    @OptionGroup var settings: SettingOptions

    func run() async throws {
        let scratch = ScratchFolder(of: "test")
        defer { scratch.remove() }
        let folder = scratch.path
        var tally = TestTally()
        for file in files {
            guard let checked = try? settings.checked(file, state: folder, mayLackInputs: true), let pipeline = checked.pipeline else {
                tally.wrong += 1
                continue
            }
            var table = TestTable(file: file)
            for test in checked.tests {
                let outcome = await test.run(pipeline, state: folder)
                table.append(test, outcome)
                tally.add(outcome)
            }
            Terminal.output.write(table.text(Paint(isOn: Terminal.output.isColored), width: Terminal.output.lineWidth))
        }
        Terminal.output.write(tally.text(Paint(isOn: Terminal.output.isColored)))
        if tally.wrong > 0 || tally.all == 0 { throw ExitStatus.wrong }
        if tally.failed > 0 { throw ExitStatus.failed }
    }
}
