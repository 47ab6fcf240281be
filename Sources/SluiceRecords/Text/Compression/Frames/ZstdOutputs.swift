import CZstd
import SluiceCEL

/// The zstd files among the outputs of a run. Text is appended to them in order.
///
/// Small texts are gathered, and each text of about 1 MiB becomes a separate frame with a checksum.
/// Frames are independent, so a run can be resumed after any of them, and the bytes depend only on
/// the sequence of appended texts. Not safe for concurrent use.
///
/// Unsafe memory: the library reads and writes within buffers that are alive during the call; the
/// context is owned by this object from `init` to `deinit`.
final class ZstdOutputs {
    /// A complete file without text.
    static let empty: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0x24, 0x00, 0x01, 0x00, 0x00, 0x99, 0xE9, 0xD8, 0x51]
    static var version: String { String(cString: ZSTD_versionString()) }

    private let outputs: any OpenSink
    private let context: OpaquePointer
    private let mostPending: Int
    private var gatherer: BlockGatherer

    /// - Parameters:
    ///   - outputs: a sink whose empty files contain ``empty``.
    ///   - mostPending: see ``BlockGatherer``.
    init(_ outputs: any OpenSink, level: CompressionLevel, mostPending: Int = BlockGatherer.mostPending(sinks: 1)) {
        guard let context = ZSTD_createCCtx() else { Memory.refused() }
        ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level.zstd)
        ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)
        self.context = context
        self.outputs = outputs
        self.mostPending = mostPending
        gatherer = BlockGatherer(mostPending: mostPending)
    }

    deinit { ZSTD_freeCCtx(context) }

    /// Appends text, possibly none, to an output.
    func append(_ text: ByteBuffer, records: Int, to path: String) throws(OutputError) {
        let name = try outputs.name(of: path)
        try outputs.append(UnsafeBufferPointer(start: nil, count: 0), records: records, to: name)
        if text.count > 0 { try compress(gatherer.add(text, to: name)) }
    }

    /// The state that a resumed run needs in addition to the written bytes.
    var checkpoint: GzipCheckpoint { GzipCheckpoint(files: [], pending: gatherer.waiting) }

    /// Must be called before anything is appended.
    func restore(_ checkpoint: GzipCheckpoint) { gatherer = BlockGatherer(checkpoint.pending, mostPending: mostPending) }

    /// Writes the pending text.
    func end() throws(OutputError) { try compress(gatherer.takeAll()) }

    private func compress(_ texts: [(path: String, text: ByteBuffer)]) throws(OutputError) {
        for (path, text) in texts where text.count > 0 {
            let frame = ByteBuffer(capacity: ZSTD_compressBound(text.count))
            let count = ZSTD_compress2(context, frame.start, frame.capacity, text.start, text.count)
            guard ZSTD_isError(count) == 0 else {
                if ZSTD_getErrorCode(count) == ZSTD_error_memory_allocation { Memory.refused() }
                fatalError("zstd refused to compress")
            }
            frame.count = count
            try outputs.append(frame.filled, records: 0, to: path)
        }
    }
}
