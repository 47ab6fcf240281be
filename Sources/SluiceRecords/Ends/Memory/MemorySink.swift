import Sluice
import SluiceCEL
import Synchronization

/// Outputs in memory, readable once a run has published them: for tests of pipelines and for
/// programs. Pipeline files cannot name it.
///
/// Copies share the published outputs. As with files, an output stays until another run publishes
/// one of the same name.
package struct MemorySink: RecordSink {
    package let path: PathTemplate
    package let compression: CompressionLevel?
    private let published = Published()

    package init(_ path: PathTemplate, compression: CompressionLevel? = nil) {
        self.path = path
        self.compression = compression
    }

    /// All bytes of an output; `nil` if none of this name was published.
    package subscript(output: String) -> [UInt8]? { published.outputs.withLock { $0[Name(output)] } }

    /// The names of the published outputs, in byte order.
    package var names: [String] { published.outputs.withLock { $0.keys.sorted().map(\.text) } }

    package func open(empty: [UInt8], staging: Staging) -> any OpenSink { OpenMemorySink(published, empty: empty) }

    package func file(of output: String) -> FileIdentity? { nil }
    package func place(of output: String) -> FilePlace? { nil }

    fileprivate final class Published: Sendable {
        let outputs = Locked<[Name: [UInt8]]>([:])
    }
}

private final class OpenMemorySink: OpenSink {
    private struct Output {
        var bytes: [UInt8] = []
        var records = 0
    }

    private var outputs: [Name: Output] = [:]
    private let published: MemorySink.Published
    private let empty: [UInt8]

    init(_ published: MemorySink.Published, empty: [UInt8]) {
        self.published = published
        self.empty = empty
    }

    func name(of output: String) -> String {
        outputs[Name(output), default: Output()].records += 0
        return output
    }

    func append(_ bytes: UnsafeBufferPointer<UInt8>, records: Int, to output: String) {
        outputs[Name(output), default: Output()].bytes += bytes
        outputs[Name(output), default: Output()].records += records
    }

    func checkpoint() -> SinkMark {
        SinkMark(outputs: inOrder.map { SinkMark.Output(path: $0.name.text, bytes: UInt64($0.output.bytes.count), records: $0.output.records) })
    }

    func restore(to mark: SinkMark) throws(OutputError) {
        var restored: [Name: Output] = [:]
        for output in mark.outputs {
            guard let bytes = outputs[Name(output.path)]?.bytes, UInt64(bytes.count) >= output.bytes else {
                throw .failed(path: output.path, reason: "has fewer bytes than at the checkpoint")
            }
            restored[Name(output.path)] = Output(bytes: Array(bytes.prefix(Int(output.bytes))), records: output.records)
        }
        outputs = restored
    }

    func prepare() {
        for (name, output) in outputs where output.bytes.isEmpty { outputs[name] = Output(bytes: empty, records: output.records) }
    }

    func publish() -> [PublishedOutput] {
        prepare()
        let all = inOrder
        published.outputs.withLock { published in
            for (name, output) in all { published[name] = output.bytes }
        }
        defer { outputs = [:] }
        return described
    }

    var described: [PublishedOutput] {
        inOrder.map { name, output in
            let sha256 = output.bytes.withUnsafeBufferPointer { Digest.of($0) }
            return PublishedOutput(path: name.text, records: output.records, bytes: UInt64(output.bytes.count), sha256: sha256)
        }
    }

    func discard() { outputs = [:] }

    private var inOrder: [(name: Name, output: Output)] {
        outputs.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
}
