package import SluiceRecords

/// The text of a pipeline file, not parsed yet.
package struct PipelineFile: Sendable {
    /// As given by the user; messages begin with it.
    package let path: String
    let source: SourceText
    package var text: String { source.text }

    package init(path: String, text: String) {
        self.path = path
        source = SourceText(text)
    }

    /// Reads the text of a file, or of standard input if the path is `-`.
    ///
    /// - Throws: if the file cannot be read. Errors in its text are reported by
    ///   ``check(setting:state:)``.
    package init(readingFrom path: String) throws(UnreadablePipelineFile) {
        let data = try Self.bytes(of: path)
        guard data.count <= YAMLDocument.sizeLimit else {
            // Only its length matters.
            self.init(path: path, text: String(repeating: " ", count: YAMLDocument.sizeLimit + 1))
            return
        }
        guard let text = String(validating: data, as: UTF8.self) else { throw UnreadablePipelineFile(path: path, reason: .notUTF8) }
        self.init(path: path, text: text)
    }

    /// Checks the file, reports every error in it, and makes the pipeline that it describes.
    /// Inspects files and folders, but reads no record and writes nothing.
    ///
    /// - Parameters:
    ///   - settings: values by parameter name, which override the defaults in the file.
    ///   - state: the state folder, if not ``stateFolder(of:)``.
    ///   - mayLackInputs: whether inputs may be missing, for machines without the data.
    ///   - inputs: the files to read, if they are known already.
    package func check(
        setting settings: [String: String] = [:], state: String? = nil, mayLackInputs: Bool = false, inputs: [InputFile]? = nil
    ) -> CheckedPipeline {
        let document = YAMLDocument(source)
        guard let root = document.root else { return CheckedPipeline(file: self, pipeline: nil, diagnostics: document.diagnostics) }
        var reading = DefinitionReading()
        let definition = reading.readDefinition(root, settings: settings)
        var building = PipelineBuilding(parameters: reading.parameters, mayLackInputs: mayLackInputs, inputs: inputs)
        let pipeline = building.pipeline(definition, from: isOnDisk ? path : nil, digest: DefinitionDigest(reading.parameters).text(of: root)) {
            state ?? PipelineFile.stateFolder(of: $0)
        }
        if path == "-", pipeline?.source.inputs.contains(where: \.isStandardInput) == true {
            building.report(
                "the pipeline file is read from standard input, so records cannot be", at: definition.source?.argument?.place,
                fix: "pass the pipeline file as a path, or read records from files")
        }
        return CheckedPipeline(
            file: self, pipeline: pipeline, tests: definition.tests.map { PipelineTest($0) },
            diagnostics: document.diagnostics + reading.diagnostics + building.diagnostics)
    }

    /// The default state folder of a pipeline, relative to the current folder.
    package static func stateFolder(of name: String) -> String { ".sluice/\(name)" }
}

package struct UnreadablePipelineFile: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Reason: Hashable, Sendable {
        case missing
        /// The system says why.
        case unreadable(String)
        case notUTF8
    }

    package var path: String
    package var reason: Reason

    package var description: String {
        switch reason {
        case .missing: "\(path): no such file"
        case .unreadable(let reason): "\(path): it cannot be read: \(reason)"
        case .notUTF8: "\(path): it is not UTF-8 text"
        }
    }
}
