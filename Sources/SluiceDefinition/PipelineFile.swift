internal import FoundationEssentials

/// The text of a pipeline file, not parsed yet.
package struct PipelineFile: Sendable {
    /// As given by the user; messages begin with it.
    package let path: String
    let source: SourceText

    package init(path: String, text: String) {
        self.path = path
        source = SourceText(text)
    }

    /// Reads the file's text.
    ///
    /// - Throws: if the file cannot be read. Errors in its text are reported by
    ///   ``check(setting:state:)``.
    package init(readingFrom path: String) throws(UnreadablePipelineFile) {
        let data: Data
        do {
            data = try Data(contentsOf: URL(filePath: path))
        } catch {
            throw UnreadablePipelineFile(path: path, reason: (error as? CocoaError)?.code == .fileReadNoSuchFile ? .missing : .unreadable)
        }
        guard let text = String(validating: data, as: UTF8.self) else { throw UnreadablePipelineFile(path: path, reason: .notUTF8) }
        self.init(path: path, text: text)
    }

    /// Checks the file, reports every error in it, and makes the pipeline that it describes.
    /// Inspects files and folders, but reads no record and writes nothing.
    ///
    /// - Parameters:
    ///   - settings: values by parameter name, which override the file's defaults.
    ///   - state: the state folder, if not ``stateFolder(of:)``.
    package func check(setting settings: [String: String] = [:], state: String? = nil) -> CheckedPipeline {
        let document = YAMLDocument(source)
        guard let root = document.root else { return CheckedPipeline(file: self, pipeline: nil, diagnostics: document.diagnostics) }
        var reading = DefinitionReading()
        let definition = reading.readDefinition(root, settings: settings)
        var building = PipelineBuilding(parameters: reading.parameters)
        let pipeline = building.pipeline(definition, from: path, digest: DefinitionDigest(reading.parameters).text(of: root)) {
            state ?? PipelineFile.stateFolder(of: $0)
        }
        return CheckedPipeline(file: self, pipeline: pipeline, diagnostics: document.diagnostics + reading.diagnostics + building.diagnostics)
    }

    /// The default state folder of a pipeline, relative to the current folder.
    package static func stateFolder(of name: String) -> String { ".sluice/\(name)" }
}

package struct UnreadablePipelineFile: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Reason: String, Sendable {
        case missing = "there is no such file"
        case unreadable = "it cannot be read"
        case notUTF8 = "it is not UTF-8 text"
    }

    package var path: String
    package var reason: Reason

    package var description: String { "\(path): \(reason.rawValue)" }
}
