import ArgumentParser
import SluiceDefinition
import SluiceRecords

struct ExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Show how a pipeline would run, and the way of one record through it.",
        discussion: """
            Lists the stages with their pools, their queues and the fields that records have after each. With --record, the text of a record is taken \
            through every stage, and what each makes of it is shown: nothing is written, but programs of 'exec' stages are started.

            EXAMPLES
              sluice explain pipelines/access-errors.yaml
              sluice explain pipelines/access-errors.yaml --record "$(zcat logs/a.log.gz | head -n 1)"

            EXIT CODES
              0  it was shown
              1  the record's way could not be followed
              2  the file cannot be run
            """)

    @OptionGroup var pipeline: PipelineOptions

    @Option(help: ArgumentHelp("Threads for all stages together. (default: one for each processor)", valueName: "n"))
    var workers: Int?

    @Option(help: ArgumentHelp("The text of a record, to follow through the stages.", valueName: "text"))
    var record: String?

    func validate() throws {
        if let workers, !(1...4096).contains(workers) { throw ValidationError("'--workers' must be from 1 to 4096.") }
    }

    func run() async throws {
        let (pipeline, _) = try pipeline.runnable(state: nil, mayLackInputs: true)
        let paint = Paint(isOn: Terminal.output.isColored)
        let threads = workers ?? System.processors
        guard let record else { return Terminal.output.write(Explanation.text(pipeline, threads: threads, paint)) }
        do {
            let way = try await withTemporaryFolder { try await RecordWay(of: record, through: pipeline, state: $0) }
            Terminal.output.write(way.text(paint))
        } catch {
            Terminal.error.write("sluice: \(error)\n")
            throw ExitStatus.failed
        }
    }
}

struct GraphCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "graph",
        abstract: "Draw a pipeline.",
        discussion: """
            Writes the pipeline as a graph: for Mermaid, which many Markdown viewers draw, for Graphviz, or as an SVG image.

            EXAMPLES
              sluice graph pipelines/access-errors.yaml
              sluice graph pipelines/access-errors.yaml --as dot | dot -Tpng > pipeline.png
              sluice graph pipelines/access-errors.yaml --as svg > pipeline.svg

            EXIT CODES
              0  it was written to standard output
              2  the file cannot be run
            """)

    enum Notation: String, CaseIterable, ExpressibleByArgument, Sendable {
        case mermaid, dot, svg
    }

    @OptionGroup var pipeline: PipelineOptions

    @Option(name: .customLong("as"), help: "The notation.")
    var notation = Notation.mermaid

    func run() throws {
        let (pipeline, _) = try pipeline.runnable(state: nil, mayLackInputs: true)
        let drawing = PipelineDrawing(pipeline)
        let text =
            switch notation {
            case .mermaid: drawing.mermaid
            case .dot: drawing.dot
            case .svg: drawing.svg
            }
        Terminal.output.write(text)
    }
}
