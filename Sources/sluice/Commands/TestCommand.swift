import ArgumentParser
import FoundationEssentials
import SluiceDefinition

struct TestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test",
        abstract: "Run the tests of pipeline files.",
        discussion: """
            A pipeline file may have tests: records as text, and what must come of them. They go through the file's own format, stages and writer, from \
            memory to memory: the inputs need not be there, and no output is written. Programs of 'exec' stages are started. What came instead of what was \
            expected is shown line by line.

              tests:
                - name: probes are left out
                  input: ['10.0.0.1 - - [10/Oct/2025:13:55:36 +0000] "GET /healthz HTTP/1.1" 200 2 "-" "kube-probe"']
                  output: []
                - name: garbage is kept
                  input: ['hello']
                  dead_letters: [{stage: source, code: parse.combined}]

            EXAMPLES
              sluice test pipelines/access-errors.yaml
              sluice test pipelines/*.yaml

            EXIT CODES
              0  every test came out as it says
              1  one did not
              2  a file cannot be run, or none of them has tests
            """)

    @ArgumentParser.Argument(help: "Pipeline files.", completion: .file(extensions: ["yaml", "yml"]))
    var files: [String]

    @OptionGroup var settings: SettingOptions

    func run() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "sluice-test-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
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
            Terminal.output.write(table.text(Paint(isOn: Terminal.output.isColored)))
        }
        Terminal.output.write(tally.text(Paint(isOn: Terminal.output.isColored)))
        if tally.wrong > 0 || tally.all == 0 { throw ExitStatus.wrong }
        if tally.failed > 0 { throw ExitStatus.failed }
    }
}
