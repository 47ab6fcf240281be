import Sluice
import SluiceCEL

/// The outputs of one sink while a run goes on. Called by one job at a time.
final class SinkOutputs {
    private let settings: SinkSettings
    private let outputs: any OpenSink
    /// Where the outputs are compressed.
    private let gzip: GzipOutputs?
    /// Outputs that have what they begin with.
    private var begun: Swift.Set<Name> = []
    /// What the one output begins with if no record is written to it.
    private let headOfEmpty: [UInt8]

    init(_ planned: PlannedSink, headOfEmpty: [UInt8], staging: Staging) {
        settings = planned.settings
        self.headOfEmpty = headOfEmpty
        let sink = planned.settings.sink
        let outputs = sink.open(empty: sink.compression == nil ? [] : MemberAssembly.empty, staging: staging)
        self.outputs = outputs
        gzip = sink.compression.map { GzipOutputs(outputs, level: $0, members: sink.members) }
    }

    /// The one name of an output that several may lead to.
    func name(of output: String) throws(OutputError) -> String { try outputs.name(of: output) }

    func write(_ output: EncodedOutput, to path: String) throws(OutputError) {
        try begin(path, with: output.head)
        if let gzip, let checksum = output.block {
            try gzip.append(block: output.bytes, checksum, records: output.records, to: path)
        } else {
            try append(output.bytes, records: output.records, to: path)
        }
    }

    private func begin(_ path: String, with bytes: [UInt8]) throws(OutputError) {
        guard !bytes.isEmpty, begun.insert(Name(path)).inserted else { return }
        let head = ByteBuffer(capacity: bytes.count)
        bytes.withUnsafeBufferPointer { head.append($0) }
        try append(head, records: 0, to: path)
    }

    private func append(_ text: ByteBuffer, records: Int, to path: String) throws(OutputError) {
        guard let gzip else { return try outputs.append(text.filled, records: records, to: path) }
        try gzip.append(text, records: records, to: path)
    }

    /// Ends every output. One whose name no record makes is there even if nothing was written to
    /// it: what stands under its name is of an earlier run.
    func end() throws(OutputError) {
        if let constant = settings.sink.path.constant {
            let path = try outputs.name(of: constant)
            try begin(path, with: headOfEmpty)
            try append(ByteBuffer(capacity: 0), records: 0, to: path)
        }
        try gzip?.end()
    }

    func prepare() throws(OutputError) { try outputs.prepare() }

    /// - Parameter alone: whether the report says for all outputs together how their records are
    ///   framed.
    func publish(alone: Bool) throws(OutputError) -> [RunReport.Output] {
        let framing = alone ? nil : RunReport.Fields(settings.format.writtenFraming)
        return try outputs.publish().map {
            RunReport.Output(file: $0.path, records: $0.records, bytes: $0.bytes, sha256: $0.sha256, framing: framing)
        }
    }

    func discard() { outputs.discard() }
}
