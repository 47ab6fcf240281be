import Glibc
import SluiceCEL

/// Verifies a finished run from its files alone: reads every input, every output and the dead
/// letters, recomputes what they show, and compares it with the report.
///
/// Takes about as long as reading those files once. What cannot be read again is skipped; what no
/// file shows is named in ``unproved``.
package struct Audit: Sendable {
    /// One comparison.
    package struct Finding: Sendable, Equatable {
        /// The subject: a file, a stage or `run`.
        package var subject: String
        package var quantity: String
        package var reported: String
        package var found: String
        /// What says so.
        package var witness = "the report"

        package var holds: Bool { reported == found }
    }

    package private(set) var findings: [Finding] = []
    /// Inputs and outputs that are not read again, with the reason.
    package private(set) var skipped: [String] = []
    /// What the report says and no file shows.
    package private(set) var unproved: [String] = []

    package var holds: Bool { findings.allSatisfy(\.holds) }

    private let scratch = ScratchFolder(of: "audit")
    /// The suspect records of the inputs read so far; `nil` if one cannot be read.
    var suspect: UInt64? = 0

    /// - Parameter pipeline: what the report is to be of, if that is known.
    /// - Throws: if records over the size limit cannot be spilled in the temporary folder.
    package init(_ report: RunReport, pipeline: RecordPipeline? = nil) throws(RunError) {
        defer { scratch.remove() }
        check(report)
        if let pipeline { compare(report, with: pipeline) }
        recount(report)
        let isFinished = report.status == .complete || report.status == .losses
        var letters = LetterPlaces()
        if isFinished { letters = try reread(report.deadLetters, of: report) }
        if isFinished, report.replay == nil { letters.compareOrder(&self, mayDiffer: pipeline.map { $0.sinks.allSatisfy { $0.order == .any } }) }
        for input in report.inputs { try reread(input, report.framing, letters) }
        letters.conclude(&self, report)
        if isFinished, report.replay == nil { compareSuspect(of: report) }
        for table in report.stages.compactMap(\.table) { try compareDigest(of: table.file, table.sha256) }
        guard isFinished else { return }
        let framing = report.framing?.outputs?.framing ?? .lines
        for output in report.outputs { try reread(output, output.framing?.framing ?? framing) }
        nameUnproved(report, hasDefinition: pipeline != nil || letters.count > 0 && report.replay == nil)
    }

    mutating func compare<Quantity: Equatable>(
        _ subject: String, _ quantity: String, _ reported: Quantity, _ found: Quantity, by witness: String = "the report"
    ) {
        findings.append(Finding(subject: subject, quantity: quantity, reported: "\(reported)", found: "\(found)", witness: witness))
    }

    mutating func skip(_ reason: String) { skipped.append(reason) }
    mutating func leaveUnproved(_ what: String) { unproved.append(what) }

    /// Notes that a file cannot be read.
    ///
    /// - Throws: if it is not the file that is at fault, but the temporary folder.
    mutating func fail(_ path: String, _ error: InputError) throws(RunError) {
        if case .spill = error { throw .input(error) }
        compare(path, "the file", "readable", "\(error)")
    }

    mutating func compareDigest(of path: String, _ sha256: String) throws(RunError) {
        do throws(InputError) {
            compare(path, "sha256", sha256, try Digest.ofFile(path))
        } catch {
            try fail(path, error)
        }
    }

    private mutating func nameUnproved(_ report: RunReport, hasDefinition: Bool) {
        if report.digest == nil, report.deadLetters.sha256 == nil { unproved.append("that the report was not changed: it is of an earlier version") }
        if !hasDefinition { unproved.append("the definition (--with FILE compares it)") }
        let parts = report.inputs.count { !$0.whole }
        if parts > 0 { unproved.append("that the run did not need the rest of \(parts == 1 ? "an input" : "\(parts) inputs")") }
        let ofInputs = report.inputs.count > 1 ? "how many records of each input were written and filtered, and " : ""
        unproved.append("\(ofInputs)what each stage received, filtered and dropped, beyond their sums")
        unproved.append("the values in the outputs, and 'record', 'attempts' and messages of dead letters, beyond their digests")
        unproved.append("times, retries, workers and libraries")
    }

    /// Reads a file as batches of records.
    ///
    /// - Parameters:
    ///   - isInput: whether the run has read it, with the bounds of inputs.
    ///   - isPlain: whether it is not compressed, whatever its first bytes.
    ///   - look: called with each batch; returns whether to read on.
    func read(
        _ path: String, _ framing: Framing = .lines, isInput: Bool = false, maxRecord: Int? = nil, encoding: TextEncoding = .utf8, isPlain: Bool = false,
        archive: Archive? = nil, _ look: (Batch) throws(InputError) -> Bool
    ) throws(InputError) -> InputSummary {
        let buffers = BufferPool(capacity: Batch.targetBytes, most: 2)
        var configuration = BatchReader.Configuration(scratch: scratch)
        configuration.framing = framing
        configuration.encoding = encoding
        configuration.isPlain = isPlain
        if isInput { configuration.bound() }
        if let maxRecord { configuration.maxRecord = maxRecord }
        let file = InputFile(path: path)
        let reader = try configuration.reader(of: file, in: isInput ? InputFiles.open(file) : InputDescriptor(file), as: archive, index: 0, buffers: buffers)
        defer { reader.close() }
        while let batch = try reader.next() {
            let goesOn = try look(batch)
            for record in batch.spilled { unlink(record.spill) }
            buffers.give(batch.bytes)
            if !goesOn { break }
        }
        return reader.summary
    }
}
