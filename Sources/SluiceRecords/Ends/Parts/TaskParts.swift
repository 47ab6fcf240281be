import SluiceCEL

/// Parts from each task of a divided run, numbered in the order of the inputs. A task writes one
/// file of an output, or several of limited size, which are numbered within the task.
enum TaskParts {
    /// The word for them in pipeline files.
    static let word = "task"

    static let key = ArgumentKey(
        "by", .choice([word]), example: "by: task", "each task of a run on more machines divides its own records; without limits as `part: task`")

    /// The usual number of digits of the second number, where parts are limited in size.
    static let digits = 4

    static func areMeant(by part: Argument) -> Bool { part.leaf != nil || part.keys?["by"] != nil }

    /// The name that a task gives to one of the files of limited size: `a-0001.jsonl.gz`. Its own
    /// number comes before that one, once it is known.
    static func path(of output: String, part number: Int) -> String { PartLimit.path(of: output, part: number, width: digits) }

    /// The path of a file from one of the tasks.
    ///
    /// - Parameters:
    ///   - file: the output, or, if parts are limited in size, the name that the task gave it.
    ///   - place: the number of the tasks before it, in the order of the inputs.
    ///   - tasks: their number. All numbers have as many digits, so that the names are in the order
    ///     of the records.
    /// - Returns: `nil` if the file has not the name of a part of limited size.
    static func path(of file: String, from place: Int, of tasks: Int, areLimited: Bool = false) -> String? {
        let width = width(of: tasks)
        guard areLimited else { return PartLimit.path(of: file, part: place + 1, width: width) }
        return PartLimit.split(file, width: digits).map { PartLimit.path(of: PartLimit.path(of: $0.output, part: place + 1, width: width), number: $0.number) }
    }

    private static func width(of tasks: Int) -> Int { max(PartLimit.digits, String(tasks).count) }

    /// Whether a path may be that of a file from one of the tasks.
    static func isPart(_ path: String, of output: String, from tasks: Int, areLimited: Bool) -> Bool {
        let whole = areLimited ? PartLimit.split(path, width: digits)?.output : path
        guard let part = whole.flatMap({ PartLimit.split($0, width: width(of: tasks)) }), let number = Int(part.number) else { return false }
        return part.output.isSame(as: output) && number > 0 && number <= tasks && part.number.utf8.count == width(of: tasks)
    }

    /// The files beside these parts that are parts of the same outputs, of earlier runs.
    static func leftovers(beside parts: [String], areLimited: Bool) -> [String] {
        let known = Swift.Set(parts.map { Name($0) })
        var outputs: [Name: Swift.Set<Name>] = [:]
        for part in parts {
            guard let output = areLimited ? outputOfLimited(part) : PartLimit.split(part)?.output else { continue }
            outputs[Name(OutputFolders.folder(of: part)), default: []].insert(Name(NameBytes.lastName(of: output)))
        }
        return outputs.sorted { $0.key < $1.key }.flatMap { folder, outputs in
            // The earlier run may have had a limit, or none.
            let parts = (OpenFolder.at(folder.text)?.names ?? []).filter { name in
                [PartLimit.split(name)?.output, outputOfLimited(name)].contains { $0.map { outputs.contains(Name($0)) } ?? false }
            }
            return parts.sorted { Name($0) < Name($1) }.map { path(of: $0, in: folder.text) }.filter { !known.contains(Name($0)) }
        }
    }

    private static func outputOfLimited(_ path: String) -> String? { PartLimit.split(path, width: digits).flatMap { PartLimit.split($0.output)?.output } }

    /// As paths of outputs are written.
    static func path(of name: String, in folder: String) -> String {
        if folder == "." { return name }
        return folder == "/" ? "/" + name : "\(folder)/\(name)"
    }
}
