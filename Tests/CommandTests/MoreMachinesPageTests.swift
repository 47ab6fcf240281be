import Foundation
import Testing

@Suite("docs/more-machines.md")
struct MoreMachinesPageTests {
    private static func blocks() throws -> [MarkdownBlocks.Block] {
        try MarkdownBlocks(try String(contentsOf: CommandUnderTest.root.appending(path: "docs/more-machines.md"), encoding: .utf8)).blocks
    }

    private static func command() throws -> CommandUnderTest {
        let command = try CommandUnderTest()
        for name in ["sampledata", "pipelines"] {
            try FileManager.default.copyItem(at: CommandUnderTest.root.appending(path: name), to: command.folder.appending(path: name))
        }
        return command
    }

    @Test("the example for GNU parallel gives the output below each command")
    func parallel() throws {
        let block = try #require(try Self.blocks().first { $0.text.contains("parallel") })
        let command = try Self.command()
        defer { command.remove() }
        let comparable = { (text: String) in text.replacing(#/[0-9.]+ s\n/#, with: "a moment\n") }
        #expect(comparable(try command.transcript(of: block.text)) == comparable(block.text))
    }

    @Test("the command of the Kubernetes job and the Slurm script do their tasks")
    func arrays() throws {
        let blocks = try Self.blocks()
        let job = try #require(blocks.first { $0.language == "yaml" }?.text)
        let script = try #require(blocks.first { $0.text.contains("#SBATCH") }?.text)
        let command = try Self.command()
        defer { command.remove() }
        let line = try #require(job.split(separator: "\n").first { $0.contains("command: [") })
        let words = line.drop { $0 != "[" }.dropFirst().dropLast().replacing(",", with: " ").replacing("/shared/", with: "")
        #expect(try command.run("plan", "pipelines/traffic.yaml", "--tasks", "2", "--plan", "plan").status == 0)
        let first = try command.shell("JOB_COMPLETION_INDEX=1 \(words)")
        #expect(first.error.hasPrefix("sluice: task 1 is done: "), "\(first.error)")
        try command.write(script.replacing("/shared/", with: ""), to: "job")
        let second = try command.shell("SLURM_ARRAY_TASK_ID=0 sh job")
        #expect(second.error.hasPrefix("sluice: task 0 is done: "), "\(second.error)")
        #expect(try command.run("gather", "plan", "--progress", "none").status == 3)
        #expect(try command.shell("JOB_COMPLETION_INDEX=x sluice task plan").status == 2)
    }
}
