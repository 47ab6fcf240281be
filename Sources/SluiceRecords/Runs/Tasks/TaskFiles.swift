import SluiceCEL

/// The outputs of one sink that a task keeps as files of its own: complete, each under a number in
/// the task's folder, until gathering gives them their names.
final class TaskFiles: OpenSink {
    private let files: OutputSet
    private let folder: String
    private let sink: Int
    /// The names that the outputs have in the run, without the number of the task.
    private var outputs: [String] = []
    private var numbers: [Name: Int] = [:]

    /// - Parameters:
    ///   - folder: the task's.
    ///   - empty: the contents of an output that nothing was written to.
    init(in folder: String, sink: Int, empty: [UInt8]) {
        (self.folder, self.sink) = (NameBytes.normalized(folder), sink)
        files = OutputSet(emptyFile: empty)
    }

    private func path(of output: String) -> String {
        let number = numbers[Name(output)] ?? outputs.count
        if number == outputs.count {
            outputs.append(output)
            numbers[Name(output)] = number
        }
        return TaskFile.path(in: folder, sink: sink, number: number)
    }

    func name(of output: String) throws(OutputError) -> String {
        let output = NameBytes.normalized(output)
        _ = try files.name(of: path(of: output))
        return output
    }

    func append(_ bytes: UnsafeBufferPointer<UInt8>, records: Int, to output: String) throws(OutputError) {
        try files.append(bytes, records: records, to: path(of: NameBytes.normalized(output)))
    }

    func checkpoint() throws(OutputError) -> SinkMark { preconditionFailure("a task has no checkpoints") }
    func restore(to mark: SinkMark) throws(OutputError) { preconditionFailure("a task has no checkpoints") }

    func prepare() throws(OutputError) { try files.prepare() }

    /// In the order of their numbers, with the names that they have in the run.
    var described: [PublishedOutput] {
        var written: [Name: PublishedOutput] = [:]
        for file in files.described { written[Name(file.path)] = file }
        return outputs.indices.compactMap { number in
            guard var file = written[Name(TaskFile.path(in: folder, sink: sink, number: number))] else { return nil }
            file.path = outputs[number]
            return file
        }
    }

    func publish() throws(OutputError) -> [PublishedOutput] {
        let described = described
        _ = try files.publish()
        return described
    }

    func discard() { files.discard() }
}

/// A file that a task has written as its part of an output.
struct TaskFile: Codable, Sendable {
    /// The number of the sink.
    var sink: Int
    /// The number among the files of the sink in the task.
    var number: Int
    /// The name of the output, without the number of the task: `a.jsonl.gz`, or `a-0001.jsonl.gz`
    /// if parts are limited in size.
    var output: String
    var records: Int
    var bytes: UInt64
    var sha256: DigestText

    /// In the folder of a task.
    static let folder = "outputs"

    static func path(in task: String, sink: Int, number: Int) -> String { "\(task)/\(folder)/\(sink)-\(number)" }

    func finished(in task: String) -> FinishedFile {
        FinishedFile(path: Self.path(in: task, sink: sink, number: number), records: records, bytes: bytes, sha256: sha256)
    }
}
