import Sluice
import SluiceCEL
import Synchronization

/// Divides the outputs of one sink into files of limited size.
///
/// Batches come in the order of the input, with their text encoded but not yet compressed, so the
/// division depends on the records alone, and is exact.
final class OutputParts: Sendable {
    /// The file that an output has reached.
    struct Part: Sendable, Equatable {
        /// From 1.
        var number = 1
        /// Of text, with the header.
        var bytes: Int
        var records = 0
    }

    /// The number of the sink.
    let sink: Int
    private let limit: PartLimit
    private let outputs: any RecordSink
    private let reached = Locked<[Name: Part]>([:])

    /// - Returns: `nil` if the sink's outputs are not divided.
    init?(_ sink: PlannedSink) {
        guard let limit = sink.settings.sink.part else { return nil }
        (self.limit, self.sink, outputs) = (limit, sink.number, sink.settings.sink)
    }

    /// Determines the files of a batch's text. To be called in the order of the input.
    ///
    /// - Parameter files: `nil` in a task, whose files get their names when they are gathered.
    /// - Throws: if a file would be another one of the run.
    func divide(_ batch: inout EncodedBatch, _ files: RunFiles?) throws(RunError) {
        for index in batch.outputs.indices where batch.outputs[index].sink == sink {
            let output = batch.outputs[index]
            var cuts = reached.withLock { Self.cuts(of: output, &$0, limit) }
            for place in cuts.indices {
                let number = cuts[place].part
                cuts[place].path = files == nil ? TaskParts.path(of: output.path, part: number) : outputs.path(of: output.path, part: number)
                // The first file was checked when the output was named.
                guard let files, number > 1, let reason = files.refusal(of: cuts[place].path, in: sink) else { continue }
                throw .output(.failed(path: cuts[place].path, reason: reason))
            }
            batch.outputs[index].cuts = cuts
        }
        if batch.takesCheckpoint { batch.parts[sink] = checkpoint }
    }

    private static func cuts(of output: EncodedOutput, _ reached: inout [Name: Part], _ limit: PartLimit) -> [EncodedOutput.Cut] {
        let head = output.head.count
        var part = reached[Name(output.path)] ?? Part(bytes: head)
        var cuts: [EncodedOutput.Cut] = []
        var cut = EncodedOutput.Cut(part: part.number, bytes: 0..<0, records: 0)
        for end in output.ends {
            let size = end - cut.bytes.upperBound
            if !limit.admits(size, after: part) {
                if cut.records > 0 { cuts.append(cut) }
                part = Part(number: part.number + 1, bytes: head)
                cut = EncodedOutput.Cut(part: part.number, bytes: cut.bytes.upperBound..<cut.bytes.upperBound, records: 0)
            }
            part.bytes += size
            part.records += 1
            cut.bytes = cut.bytes.lowerBound..<end
            cut.records += 1
        }
        reached[Name(output.path)] = part
        return cuts + [cut]
    }

    /// For each output, the first file after its last one that exists already: of an earlier run.
    /// Parts by task have ``TaskParts/leftovers(beside:areLimited:)`` instead.
    var leftovers: [String] {
        guard !outputs.hasTaskParts else { return [] }
        let next = reached.withLock { $0.sorted { $0.key < $1.key }.map { PartLimit.path(of: $0.key.text, part: $0.value.number + 1) } }
        return next.filter { if case .missing = PathKind.of($0) { false } else { true } }
    }

    /// Must be called between two batches.
    var checkpoint: [SinkCheckpoint.Part] {
        reached.withLock { reached in
            reached.sorted { $0.key < $1.key }.map {
                SinkCheckpoint.Part(output: $0.key.text, number: $0.value.number, bytes: $0.value.bytes, records: $0.value.records)
            }
        }
    }

    func restore(_ parts: [SinkCheckpoint.Part]) {
        reached.withLock { reached in
            for part in parts { reached[Name(part.output)] = Part(number: part.number, bytes: part.bytes, records: part.records) }
        }
    }
}
