package import SluiceRecords

/// The result of checking a pipeline file.
package struct CheckedPipeline: Sendable {
    let file: PipelineFile
    /// `nil` if there is an error.
    package let pipeline: RecordPipeline?
    /// The tests in the file, in order.
    package let tests: [PipelineTest]
    /// In file order, preceded by those about the command line.
    package let diagnostics: [DefinitionDiagnostic]

    init(file: PipelineFile, pipeline: RecordPipeline?, tests: [PipelineTest] = [], diagnostics: [DefinitionDiagnostic]) {
        self.file = file
        self.tests = tests
        self.pipeline = diagnostics.contains { $0.severity == .error } ? nil : pipeline
        self.diagnostics = diagnostics.enumerated().sorted { left, right in
            guard left.element.place?.start != right.element.place?.start else { return left.offset < right.offset }
            guard let start = left.element.place?.start else { return true }
            guard let other = right.element.place?.start else { return false }
            return start < other
        }.map(\.element)
    }

    package var errorCount: Int { diagnostics.count { $0.severity == .error } }

    /// All diagnostics, one after the other, formatted for a terminal.
    package func rendered(colored: Bool = false) -> String {
        diagnostics.map { $0.rendered(path: file.path, source: file.source, colored: colored) }.joined()
    }
}
