import Glibc
import SluiceCEL

/// Finds the heads of the files that dead letters come from, which their records are read with.
///
/// Reads each file up to the record; in files with one head, only its beginning. Fast if records
/// are asked for in the order of their file.
final class HeadSearch {
    private let source: SourceSettings
    private let configuration: BatchReader.Configuration
    private let buffers = BufferPool(capacity: Batch.targetBytes, most: 2)
    private var file: String?
    private var reader: (any InputReader)?
    /// The range of the text that has the current head.
    private var range: Range<UInt64> = 0..<0
    private var head: FileHead?

    /// - Parameter configuration: where records over the size limit are spilled.
    init(_ source: SourceSettings, _ configuration: BatchReader.Configuration) {
        self.source = source
        self.configuration = configuration
    }

    func head(of file: String, at offset: UInt64) throws(RunError) -> FileHead? {
        do throws(InputError) {
            if self.file?.isSame(as: file) != true || offset < range.lowerBound { try open(file) }
            while range.upperBound <= offset, let batch = try reader?.next() {
                for record in batch.spilled { unlink(record.spill) }
                head = batch.head
                // A head that is no list of '#' lines is that of the whole file.
                range = head?.directives == nil && head != nil ? 0..<UInt64.max : batch.offset..<batch.end.offset
                buffers.give(batch.bytes)
            }
            return head
        } catch {
            throw .report(path: file, reason: "its header is needed to read its records, and cannot be read: \(error)")
        }
    }

    private func open(_ file: String) throws(InputError) {
        guard file != "-" else { throw .unreadable(path: "standard input", reason: "it is gone") }
        reader?.close()
        var configuration = configuration
        configuration.bound()
        configuration.maxRecord = source.maxRecord
        configuration.encoding = source.encoding
        configuration.framing = source.framing
        if let archive = source.archive, let path = Archive.path(in: file) {
            let input = InputFile(path: path)
            let bytes = try source.source.open(input, at: 0)
            reader = try ArchiveReader(input, of: bytes, as: archive, index: 0, configuration: configuration, buffers: buffers, only: file)
        } else {
            let input = source.inputs.first { $0.path.isSame(as: file) } ?? InputFile(path: file)
            reader = try BatchReader(input, of: try source.source.open(input, at: 0), index: 0, configuration: configuration, buffers: buffers)
        }
        (self.file, range, head) = (file, 0..<0, nil)
    }
}
