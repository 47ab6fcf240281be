import SluiceRecords

/// The output of `--verbose` before a run.
enum RunPreview {
    static func text(_ pipeline: RecordPipeline, _ options: RunOptions) -> String {
        var text = "\(pipeline.name): \(pipeline.definition)\n"
        text += "  \(Figures.count(options.workers)) threads, state in \(options.state), dead letters in \(pipeline.deadLetters)\n"
        text += "  \(RunReport.Libraries(pipeline).sentence)\n"
        for input in pipeline.source.inputs.prefix(RunSummary.listed) { text += "  reads \(input.path)\n" }
        if pipeline.source.inputs.count > RunSummary.listed {
            text += "  and \(Figures.count(pipeline.source.inputs.count - RunSummary.listed)) more files\n"
        }
        return text + stages(of: pipeline.flow, "")
    }

    private static func stages(of flow: RecordFlow, _ route: String) -> String {
        var text = flow.stages.map { "  then \(route)\($0.name)\n" }.joined()
        guard case .routes(let routes) = flow.end else { return text }
        for branch in routes.all { text += stages(of: branch.flow, branch.name.map { "\(route)\($0)/" } ?? route) }
        return text
    }
}

extension RunReport.Libraries {
    /// `inflates with ISA-L 2.30, deflates with ISA-L 2.30, level 1`
    var sentence: String { "inflates with \(inflate)" + (deflate.map { ", deflates with \($0)" } ?? "") }
}
