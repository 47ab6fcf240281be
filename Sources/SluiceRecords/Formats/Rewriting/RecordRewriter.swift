/// Rewrites records as JSON objects: all that a format needs whose fields, unlike those of JSON
/// lines, are known only when a record is read.
///
/// The objects take the place of the records in the batch, so that stages and sinks handle such
/// records as JSON. The records' own bytes stay in the source's batch.
package protocol RecordRewriter: Sendable {
    /// `parse.` and the name of the format.
    static var failureCode: String { get }

    /// Writes the record as a JSON object. Of members with the same name, the last one counts.
    ///
    /// 64 bytes after the record must be readable, whatever they contain.
    /// - Returns: `false` if the record is blank; nothing is written then.
    func rewrite(_ record: UnsafeBufferPointer<UInt8>, to buffer: ByteBuffer) throws(FormatFault) -> Bool
}

/// Why a record is not in its format. A throwing rewriter may have written part of the object.
package struct FormatFault: Error {
    package var message: String

    package init(_ message: String) { self.message = message }

    /// - Parameter what: `a quote in a key`.
    init(_ what: String, at place: UnsafePointer<UInt8>, in record: UnsafeBufferPointer<UInt8>) {
        let offset = record.baseAddress.map { place - $0 } ?? 0
        let found = offset < record.count ? "found \(JSONFault.name(ofByte: record[offset]))" : "where the record ends"
        message = "\(what) at byte \(offset), \(found)"
    }
}

/// The objects of a table's rows, one for each. A record that is blank or could not be rewritten
/// has an empty one.
package final class RewrittenObjects {
    package private(set) var bytes = ByteBuffer(capacity: 0)
    package internal(set) var frames: [Frame] = []

    /// Frees a buffer that one huge record has enlarged.
    func reset() {
        if bytes.capacity > 8 * Batch.targetBytes { bytes = ByteBuffer(capacity: 0) }
        bytes.count = 0
        frames.removeAll(keepingCapacity: true)
    }
}
