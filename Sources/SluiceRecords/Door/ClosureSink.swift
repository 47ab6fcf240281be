import Sluice

/// A sink that is a closure of a Swift program. Nothing is encoded for it.
struct ClosureSink: RecordSink {
    let take: @Sendable (Record) async throws -> Void

    init(_ take: @escaping @Sendable (Record) async throws -> Void) {
        self.take = take
    }

    /// Passes the records of each batch to the closure before the batch is committed.
    ///
    /// - Parameter number: the number of this sink.
    func taking(_ batches: Pipeline<EncodedBatch>, as number: Int) -> Pipeline<EncodedBatch> {
        batches.forEach { batch in
            do {
                for record in batch.records[number] ?? [] { try await take(record) }
            } catch {
                throw RunError.closure("\(error)")
            }
        }
    }

    var path: PathTemplate { PathTemplate(pieces: [.text("-")]) }

    func open(empty: [UInt8], staging: Staging) -> any OpenSink { OpenClosureSink() }
    func file(of output: String) -> FileIdentity? { nil }
    func place(of output: String) -> FilePlace? { nil }
}

/// Counts the records passed to the closure.
private final class OpenClosureSink: OpenSink {
    private var records = 0

    func name(of output: String) -> String { output }
    func append(_ bytes: UnsafeBufferPointer<UInt8>, records: Int, to output: String) { self.records += records }
    func checkpoint() -> SinkMark { SinkMark(outputs: [SinkMark.Output(path: "-", bytes: 0, records: records)]) }

    func restore(to mark: SinkMark) throws(OutputError) {
        guard mark == checkpoint() else { throw .failed(path: "-", reason: "records that were passed to a closure cannot be taken back") }
    }

    func prepare() {}
    var described: [PublishedOutput] { [PublishedOutput(path: "-", records: records, bytes: 0, sha256: Digest().hex)] }
    func publish() -> [PublishedOutput] { described }
    func discard() {}
}

/// A format without text, for a sink that takes records as values.
struct Unwritten: WritableFormat {
    static let declaration = Declaration("unwritten", "no text", argument: .keys([]), example: "")
    static let fileExtensions: [String] = []

    init() {}
    init?(_ options: Arguments?, _ checking: inout Checking) { nil }

    var schema: Schema { .open }
    func makeDecoder(columns: [String], spans: Bool) -> any RecordDecoder { JSONLinesDecoder(columns: columns, spans: spans) }
    func makeWriter(for fields: RecordFields, columns: [String]?) -> any RecordWriter { RecordTaker(RecordMaking(fields)) }
}

/// Makes the records of a batch, and writes nothing.
private struct RecordTaker: RecordWriter {
    let making: RecordMaking

    init(_ making: RecordMaking) {
        self.making = making
    }

    func write(_ row: Int, of batch: RecordBatch, to buffer: ByteBuffer) throws(RecordFailure) {
        batch.records.append(try making.record(row, of: batch, spare: making.spareTable()))
    }
}
