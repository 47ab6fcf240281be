import Sluice
import SluiceCEL

/// Whether a run starts over or resumes an unfinished one in its state folder.
enum Resumption {
    /// There is nothing to resume.
    case anew
    case from(Checkpoint)

    /// - Throws: ``RunError/unfinished(reason:)`` if the unfinished run is a different one,
    ///   ``RunError/output(_:)`` if the file cannot be opened.
    init(_ file: StateFile, _ pipeline: RecordPipeline, canResume: Bool) throws(RunError) {
        let checkpoint: Checkpoint?
        do {
            checkpoint = try file.read(Checkpoint.self)
        } catch let error as OutputError {
            throw .output(error)
        } catch {
            throw .unfinished(reason: "\(file.path) cannot be read by this version of sluice")
        }
        guard var checkpoint else {
            self = .anew
            return
        }
        if let reason = Self.difference(checkpoint, pipeline, canResume) { throw .unfinished(reason: reason) }
        // In damaged data another library may come to other text, so that the place is another one.
        if checkpoint.libraries.inflate != RunReport.Libraries(pipeline).inflate { checkpoint.reader = nil }
        self = .from(checkpoint)
    }

    private static func difference(_ checkpoint: Checkpoint, _ pipeline: RecordPipeline, _ canResume: Bool) -> String? {
        if checkpoint.version != Checkpoint.version { return "it was started by another version of sluice" }
        if checkpoint.definition != pipeline.definition { return "its definition or parameters were different" }
        if checkpoint.secrets ?? [] != pipeline.secretProofs { return "the key of a 'redact' stage was a different one" }
        let libraries = RunReport.Libraries(pipeline)
        if checkpoint.libraries.deflate != libraries.deflate {
            return "it compressed with \(checkpoint.libraries.deflate ?? "nothing"), but this run would use \(libraries.deflate ?? "nothing")"
        }
        guard canResume, let stamps = Checkpointing.stamps(of: pipeline.filesRead) else {
            return "runs with these options, inputs and outputs cannot be resumed"
        }
        if stamps.count != checkpoint.inputs.count {
            let count = pipeline.source.inputs.count
            return "it had \(checkpoint.inputs.count - stamps.count + count) inputs, but now there are \(count)"
        }
        return zip(stamps, checkpoint.inputs).lazy.compactMap { $0.change(since: $1) }.first
    }
}
