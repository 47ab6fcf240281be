import SluiceCEL

/// Parts that are not limited in size: a file from each task of a divided run, numbered in the
/// order of the inputs.
enum TaskParts {
    /// The word for them in pipeline files.
    static let word = "task"

    /// The path of the part from one of the tasks.
    ///
    /// - Parameters:
    ///   - place: the number of the tasks before it, in the order of the inputs.
    ///   - tasks: their number. All numbers have as many digits, so that the names are in the order
    ///     of the records.
    static func path(of output: String, from place: Int, of tasks: Int) -> String {
        PartLimit.path(of: output, part: place + 1, width: max(PartLimit.digits, String(tasks).count))
    }

    /// The files beside these parts that are parts of the same outputs, of earlier runs.
    static func leftovers(beside parts: [String]) -> [String] {
        let known = Swift.Set(parts.map { Name($0) })
        var outputs: [Name: Swift.Set<Name>] = [:]
        for part in parts {
            guard let output = PartLimit.output(ofPart: part) else { continue }
            outputs[Name(OutputFolders.folder(of: part)), default: []].insert(Name(NameBytes.lastName(of: output)))
        }
        return outputs.sorted { $0.key < $1.key }.flatMap { folder, outputs in
            let parts = (OpenFolder.at(folder.text)?.names ?? []).filter { name in
                PartLimit.output(ofPart: name).map { outputs.contains(Name($0)) } ?? false
            }
            return parts.sorted { Name($0) < Name($1) }.map { path(of: $0, in: folder.text) }.filter { !known.contains(Name($0)) }
        }
    }

    /// As paths of outputs are written.
    private static func path(of name: String, in folder: String) -> String {
        if folder == "." { return name }
        return folder == "/" ? "/" + name : "\(folder)/\(name)"
    }
}
