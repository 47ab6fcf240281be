import ArgumentParser
import SluiceDefinition
import SluiceRecords

struct ExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Show how a pipeline would run, and what it does to a record.",
        discussion: """
            Lists the stages with their workers, queues and the fields of the records after each. With --record, passes a record \
            through every stage, also of the routes that take it, and shows the result of each, and why a route does not take it. Nothing is written, but \
            the programs of 'exec' stages are started and the requests of 'http' stages sent.

            EXAMPLES
              sluice explain pipelines/access-errors.yaml
              sluice explain pipelines/access-errors.yaml --record "$(zcat logs/a.log.gz | head -n 1)"

            EXIT CODES
              0  success
              1  the record could not be processed
              2  the pipeline file is invalid
            """)

    @OptionGroup var pipeline: PipelineOptions

    @Option(help: ArgumentHelp("The number of threads for all stages. (default: one per processor)", valueName: "n"))
    var workers: Int?

    @Option(help: ArgumentHelp("The text of a record to pass through the stages.", valueName: "text"))
    var record: String?

    func validate() throws {
        if let workers, !(1...4096).contains(workers) { throw ValidationError("'--workers' must be from 1 to 4096.") }
    }

    func run() async throws {
        let pipeline = try pipeline.runnable(state: nil, mayLackInputs: true).pipeline
        let paint = Paint(isOn: Terminal.output.isColored)
        let threads = workers ?? System.processors
        guard let record else { return Terminal.output.write(Explanation.text(pipeline, threads: threads, paint, width: Terminal.output.lineWidth)) }
        do {
            let way = try await withTemporaryFolder { try await RecordTrace(of: record, through: pipeline, state: $0) }
            Terminal.output.write(way.text(paint, width: Terminal.output.lineWidth))
        } catch {
            Log.error("\(error)")
            throw ExitStatus.failed
        }
    }
}

struct GraphCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "graph",
        abstract: "Draw a pipeline.",
        discussion: """
            Writes the pipeline as a graph for Mermaid, which many Markdown viewers draw, for Graphviz, or as an SVG image.

            EXAMPLES
              sluice graph pipelines/access-errors.yaml
              sluice graph pipelines/access-errors.yaml --as dot | dot -Tpng > pipeline.png
              sluice graph pipelines/access-errors.yaml --as svg > pipeline.svg

            EXIT CODES
              0  the graph was written to standard output
              2  the pipeline file is invalid
            """)

    enum Notation: String, CaseIterable, ExpressibleByArgument, Sendable {
        case mermaid, dot, svg
    }

    @OptionGroup var pipeline: PipelineOptions

    @Option(name: .customLong("as"), help: "The output format.")
    var notation = Notation.mermaid

    func run() throws {
        let pipeline = try pipeline.runnable(state: nil, mayLackInputs: true).pipeline
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
