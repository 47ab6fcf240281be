import Glibc
import Sluice
import SluiceCEL
import Synchronization

/// Feeds dead letters in again: what a replay knows beside its pipeline.
package final class Replay: Sendable {
    /// The number in the names of its outputs, from 1.
    package let number: Int
    /// How the inputs were read that the dead letters come from.
    let original: SourceSettings
    let targets: ReplayTargets
    let pipeline: String
    let definition: String
    /// The pipeline file, for messages.
    let file: String
    /// The folder that records which dead letters are dealt with.
    let folder: String
    /// Whether to replay dead letters even if an earlier replay has dealt with them.
    let repeats: Bool
    let memory: Int
    private let counts: Locked<RunReport.Replay>

    /// A dead letter may hold the record twice, and its bytes escaped.
    private static let lettersPerRecord = 3

    fileprivate init(_ pipeline: RecordPipeline, number: Int, folder: String, repeats: Bool) {
        self.number = number
        original = pipeline.source
        targets = ReplayTargets(pipeline)
        self.pipeline = pipeline.name
        definition = pipeline.definition
        file = pipeline.file ?? "the pipeline"
        self.folder = folder
        self.repeats = repeats
        memory = pipeline.limits.memory / 8
        counts = Locked(RunReport.Replay(number: number))
    }

    /// The dead-letter file at a path. It must be a regular file, because it is read twice.
    package static func letters(at path: String) throws(RunError) -> InputFile {
        switch PathKind.of(path) {
        case .file(size: let size?): return InputFile(path: path, size: size)
        case .file(size: nil): throw .report(path: path, reason: "is a device or a pipe, and dead letters are read twice; copy them to a file")
        case .missing: throw .input(.missing(path: path))
        case .folder: throw .report(path: path, reason: "is a folder; name a file of dead letters")
        case .unreadable(let reason): throw .report(path: path, reason: "cannot be read: \(reason)")
        }
    }

    /// What was read and what became of it so far.
    package var report: RunReport.Replay { counts.withLock { $0 } }

    func count(_ change: (inout RunReport.Replay) -> Void) { counts.withLock { change(&$0) } }

    func reading(_ configuration: BatchReader.Configuration) -> BatchReader.Configuration {
        var configuration = configuration
        configuration.onDamage = .fail
        configuration.maxRecord = min(1 << 30, Self.lettersPerRecord * original.maxRecord + (1 << 20))
        return configuration
    }

    /// Reads the dead letters without processing them: what a replay of them would do.
    ///
    /// - Throws: ``RunError`` if a line is not a dead letter of the pipeline.
    fileprivate func preview(_ letters: InputFile) throws(RunError) -> RunReport.Replay {
        defer { counts.withLock { $0 = RunReport.Replay(number: number) } }
        do {
            let buffers = BufferPool(capacity: Batch.targetBytes + 4096, most: 4)
            let scratch = ScratchFolder(of: "replay")
            defer { scratch.remove() }
            let configuration = BatchReader.Configuration(scratch: scratch)
            let reader = try BatchReader(letters, index: 0, configuration: reading(configuration), buffers: buffers)
            defer { reader.close() }
            let records = try LetterReader(reader, self, buffers: buffers, configuration)
            while let batch = try records.next() {
                for spill in batch.replayed?.spills ?? [] { unlink(spill) }
                buffers.give(batch.bytes)
            }
            return report
        } catch let error as InputError {
            guard case .damaged = error else { throw .input(error) }
            throw .report(path: letters.path, reason: "\(error); replay reads only whole files, so copy it again")
        } catch let error as RunError {
            throw error
        } catch {
            throw .fault("\(error)")
        }
    }
}

extension RecordPipeline {
    /// The pipeline that takes in dead letters instead of its inputs, and writes beside its
    /// outputs.
    ///
    /// - Parameters:
    ///   - state: the state folder of the pipeline.
    ///   - repeats: whether to replay dead letters even if an earlier replay has dealt with them.
    package func replaying(_ letters: InputFile, state: String, repeats: Bool = false) throws(RunError) -> RecordPipeline {
        if YearCount(source.format) != nil {
            throw .report(path: file ?? name, reason: "'source.year' finds the years of times by the order of all records, so single ones cannot be replayed")
        }
        let folder = Self.replayFolder(in: state)
        let number = try nextReplay(in: folder)
        var copy = self
        copy.source.source = FileSource([letters])
        copy.source.newOnly = nil
        copy.source.replay = Replay(self, number: number, folder: folder, repeats: repeats)
        copy.flow = flow.replacingStages { stage in
            var stage = stage
            if case .others = stage.verb.dependence { stage.isPassed = true }
            if case .closing = stage.verb.makeStep(stage) { stage.isPassed = true }
            return stage
        }.replacingSinks { sink in
            var sink = sink
            sink.sink = sink.sink.naming(withSuffix: Self.suffix(number))
            return sink
        }
        copy.deadLetters = Self.besides(deadLetters, number)
        copy.limits.deadLetters = .all
        return copy
    }

    /// Reads the dead letters of a ``replaying(_:state:repeats:)`` without processing them: what it
    /// would do.
    ///
    /// - Throws: ``RunError`` if a line is not a dead letter of the pipeline.
    package func replayPreview(of letters: InputFile) throws(RunError) -> RunReport.Replay {
        guard let replay = source.replay else { preconditionFailure("only a replay has a preview") }
        return try replay.preview(letters)
    }

    /// The state folder of replays.
    package static func replayFolder(in state: String) -> String { state + "/replay" }

    private static func suffix(_ number: Int) -> String { "replay-\(number)" }

    private static func besides(_ path: String, _ number: Int) -> String {
        if case .file(size: nil) = PathKind.of(path) { return path }
        return FileName.adding(suffix(number), to: path)
    }

    /// The first number after those of earlier replays with which no file would be replaced, as far
    /// as the names are known before records are read.
    private func nextReplay(in folder: String) throws(RunError) -> Int {
        var number = (try SettledLetters.replays(in: folder).max() ?? 0) + 1
        let sinks = sinks.map(\.sink)
        func isTaken(_ number: Int) -> Bool {
            let outputs = sinks.compactMap { sink in
                let named = sink.naming(withSuffix: Self.suffix(number))
                return named.path.constant.map { named.first(of: $0) }
            }
            return (outputs + [Self.besides(deadLetters, number)]).contains { if case .file(size: _?) = PathKind.of($0) { true } else { false } }
        }
        while isTaken(number) { number += 1 }
        return number
    }
}

extension RunReport.Replay {
    /// Whether no record would be processed.
    package var isIdle: Bool { kept + known + blank == letters }

    /// Whether every dead letter is accounted for.
    var isBalanced: Bool { letters == resolved + filtered + dead + kept + known + blank && kept == reasons.values.reduce(0, +) }
}
