import Glibc
package import SluiceCEL

/// Runs some records through a pipeline, or through its first stages, entirely in memory.
package struct Trial: Sendable {
    /// The resulting records, as JSON.
    package let records: [String]
    /// The dead letters, as JSON.
    package let deadLetters: [String]
    package let report: RunReport

    /// Runs the first stages of a pipeline. Its outputs and dead letters are not touched. Children
    /// of `exec` are started, requests of `http` sent.
    ///
    /// - Parameters:
    ///   - texts: named texts in place of the inputs.
    ///   - stages: the number of stages to run, all of them before any routes.
    ///   - state: a folder for temporary files of the run.
    package static func run(
        _ pipeline: RecordPipeline, on texts: [(name: String, text: [UInt8])], stages: Int, limit: Int? = nil, state: String
    ) async throws(RunError) -> Trial {
        let records = MemorySink(PathTemplate(recordsName))
        return try await run(
            pipeline, through: RecordFlow(Array(pipeline.stages.prefix(stages)), into: SinkSettings(records)), into: records, on: texts, limit: limit,
            state: state)
    }

    /// As ``run(_:on:stages:limit:state:)``, but runs all stages before a route, and the first of
    /// its own.
    ///
    /// - Parameter route: the number of the route among its siblings, after those of the routes
    ///   that it is in.
    package static func run(
        _ pipeline: RecordPipeline, on texts: [(name: String, text: [UInt8])], route: [Int], stages: Int, limit: Int? = nil, state: String
    ) async throws(RunError) -> Trial {
        let records = MemorySink(PathTemplate(recordsName))
        let flow = pipeline.flow.cut(at: route[...], stages: stages, into: records)
        return try await run(pipeline, through: flow, into: records, on: texts, limit: limit, state: state)
    }

    private static func run(
        _ pipeline: RecordPipeline, through flow: RecordFlow, into records: MemorySink, on texts: [(name: String, text: [UInt8])], limit: Int?,
        state: String
    ) async throws(RunError) -> Trial {
        var trial = pipeline
        trial.source.replaceInputs(by: texts.map { ($0.name == "-" ? "standard input" : $0.name, $0.text) })
        let letters = MemorySink(PathTemplate(lettersName))
        trial.flow = flow
        trial.deadLetters = lettersName
        trial.deadLetterSink = letters
        trial.limits.deadLetters = .all
        let report = try await RecordRun(trial, options: .trial(state, limit: limit)).run()
        return Trial(records: lines(of: records[recordsName]), deadLetters: lines(of: letters[lettersName]), report: report)
    }

    /// Runs the whole pipeline, including routes, and returns what each output would contain, as
    /// text.
    ///
    /// - Returns: the names of the outputs with their lines, in the order of the sinks.
    package static func outputs(
        of pipeline: RecordPipeline, on texts: [(name: String, text: [UInt8])], state: String
    ) async throws(RunError) -> [(name: String, lines: [String])] {
        var trial = pipeline
        trial.source.replaceInputs(by: texts.map { ($0.name == "-" ? "standard input" : $0.name, $0.text) })
        var sinks: [MemorySink] = []
        trial.flow = pipeline.flow.replacingSinks { settings in
            var settings = settings
            let sink = MemorySink(settings.sink.path)
            sinks.append(sink)
            // The rows of a database are shown as JSON.
            if settings.sink.ownFormat != nil { settings.format = JSONL() }
            settings.sink = sink
            return settings
        }
        trial.deadLetters = lettersName
        trial.deadLetterSink = MemorySink(PathTemplate(lettersName))
        trial.limits.deadLetters = .all
        _ = try await RecordRun(trial, options: .trial(state)).run()
        return sinks.flatMap { sink in sink.names.map { ($0, lines(of: sink[$0])) } }
    }

    private static let recordsName = "records.jsonl"
    private static let lettersName = "dead-letter.jsonl"

    private static func lines(of bytes: [UInt8]?) -> [String] {
        (bytes ?? []).split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
    }
}

extension RecordFlow {
    /// A copy whose records end in memory: those of a route, after its first stages, in `records`.
    fileprivate func cut(at route: ArraySlice<Int>, stages count: Int, into records: MemorySink) -> RecordFlow {
        guard let number = route.first, case .routes(var routes) = end else {
            return RecordFlow(Array(stages.prefix(count)), into: SinkSettings(records))
        }
        for index in routes.all.indices {
            routes.all[index].flow =
                index == number
                ? routes.all[index].flow.cut(at: route.dropFirst(), stages: count, into: records)
                : RecordFlow([], into: SinkSettings(MemorySink(PathTemplate("other-\(route.count)-\(index).jsonl"))))
        }
        return RecordFlow(stages, into: .routes(routes))
    }
}

extension RunOptions {
    /// - Parameter state: a folder for temporary files of the run.
    package static func trial(_ state: String, limit: Int? = nil) -> RunOptions {
        var options = RunOptions(workers: 2, state: state, limit: limit)
        options.restarts = true
        return options
    }
}

/// Calls `body` with a folder that is removed afterwards: below `TMPDIR`, or else in memory if the
/// system has a file system there, where syncing the few small files of a trial takes no time.
package func withTemporaryFolder<Result: Sendable>(_ body: (String) async throws -> Result) async throws -> Result {
    let memory = "/dev/shm"
    let folder = ScratchFolder(of: "trial", in: access(memory, W_OK | X_OK) == 0 ? memory : "/tmp")
    defer { folder.remove() }
    return try await body(folder.path)
}

extension Value {
    /// Decodes a record of a trial; `nil` if the text is not JSON.
    package init?(json text: String) {
        var text = text
        // The parser may read past the text, within the padding of a buffer.
        let buffer = ByteBuffer(capacity: text.utf8.count)
        text.withUTF8 { buffer.append($0) }
        let value = buffer.withFilled { bytes in try? JSONReader().value(ofJSON: bytes) }
        guard let value else { return nil }
        self = value
    }

    /// The value as one line of JSON.
    package var jsonText: String {
        let buffer = ByteBuffer(capacity: 256)
        JSONText.write(self, to: buffer)
        return buffer.withFilled { String(decoding: $0, as: UTF8.self) }
    }
}
