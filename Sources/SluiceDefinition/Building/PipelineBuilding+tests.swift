internal import SluiceRecords

extension PipelineBuilding {
    /// Checks that tests only refer to stages and outputs of the pipeline.
    ///
    /// - Parameter formats: the formats of all sinks.
    mutating func checkTests(of definition: Definition, writing formats: [any WritableFormat]) {
        // The name of the source in dead letters, then those of the stages.
        let stages = NameKind.stage.taken.prefix(1) + Self.stageNames(of: definition.flow, prefix: "")
        for test in definition.tests {
            for leaf in test.deadLetters.compactMap(\.stage) where leaf.isComplete && leaf.text.index(in: Array(stages)) == nil {
                report(
                    "tests '\(test.name.text)': dead_letters: no such stage '\(leaf.text)'\(didYouMean(leaf.text, among: Array(stages)))", at: leaf.place,
                    fix: "the stages are: \(stages.joined(separator: ", "))")
            }
            if let place = test.recordPlace, let format = formats.first, formats.allSatisfy({ $0.name != JSONL.name }) {
                report(
                    "tests '\(test.name.text)': 'output': a sink with the format '\(format.name)' writes text, not maps", at: place,
                    fix: "give its lines: output: ['…']")
            }
        }
    }

    private static func stageNames(of flow: FlowDefinition, prefix: String) -> [String] {
        let stages = flow.stages.map { prefix + $0.name }
        let sinks = flow.sinks.indices.map { prefix + NameKind.sink + ($0 == 0 ? "" : "/\($0 + 1)") }
        let split = (flow.sinks.count > 1 ? NameKind.split(intoRoutes: false) : flow.routes.map { _ in NameKind.split(intoRoutes: true) }).map { [prefix + $0] }
        return stages + (split ?? []) + sinks + (flow.routes?.all ?? []).flatMap { stageNames(of: $0.flow, prefix: prefix + $0.name.text + "/") }
    }
}
