import SluiceCEL

/// Decodes records that are rewritten as JSON objects.
///
/// Unsafe memory: the objects lie in a ``ByteBuffer``, and cells point into it. It grows only
/// before the first of them is decoded.
struct RewritingDecoder<Rewriter: RecordRewriter>: RecordDecoder {
    private let rewriter: Rewriter
    private let decoder: JSONLinesDecoder

    init(_ rewriter: Rewriter, columns: [String], spans: Bool) {
        self.rewriter = rewriter
        decoder = JSONLinesDecoder(columns: columns, spans: spans)
    }

    /// The table's objects are then that of this record alone.
    func decode(_ text: UnsafeBufferPointer<UInt8>, row: Int, into table: RowTable) {
        let objects = table.beginObjects()
        do throws(FormatFault) {
            guard try rewrite(text, to: objects.bytes) else {
                table.outcomes[row] = .blank
                return
            }
            decode(objects.bytes, row: row, into: table)
            guard table.outcomes[row] == .duplicated else { return }
            let unique = objects.bytes.withFilled(Self.unique)
            objects.bytes.count = 0
            unique.withFilled { objects.bytes.append($0) }
            table.clear(row)
            decode(objects.bytes, row: row, into: table)
        } catch {
            table.fail(row, Rewriter.failureCode, error.message)
        }
    }

    /// Decodes a copy that lives as long as the table's cells.
    private func decode(_ object: ByteBuffer, row: Int, into table: RowTable) {
        let copy = UnsafeBufferPointer(start: object.withFilled { table.text.copy($0) }, count: object.count)
        decoder.decode(copy, row: row, into: table)
    }

    func decode(_ frames: [Frame], of base: UnsafePointer<UInt8>, into table: RowTable) {
        let objects = table.beginObjects()
        var rewritten: [Frame] = objects.frames
        objects.frames = []
        rewritten.reserveCapacity(frames.count)
        var faults: [RowTable.Failure] = []
        for (row, frame) in frames.enumerated() {
            let start = objects.bytes.count
            do throws(FormatFault) {
                _ = try rewrite(UnsafeBufferPointer(start: base + Int(frame.start), count: Int(frame.count)), to: objects.bytes)
            } catch {
                objects.bytes.count = start
                faults.append(RowTable.Failure(row: row, code: Rewriter.failureCode, message: error.message))
            }
            rewritten.append(Frame(start: UInt32(start), count: UInt32(objects.bytes.count - start), lineDelta: frame.lineDelta))
        }
        decoder.decode(rewritten, of: objects.bytes.start, into: table)
        if table.outcomes.contains(.duplicated) { rewritten = decodeAgain(rewritten, of: objects.bytes, into: table) }
        for fault in faults { table.fail(fault.row, fault.code, fault.message) }
        objects.frames = rewritten
    }

    /// The frames refer to the buffer with offsets of 32 bits.
    private func rewrite(_ record: UnsafeBufferPointer<UInt8>, to buffer: ByteBuffer) throws(FormatFault) -> Bool {
        guard buffer.count + Self.growth * record.count < Int(UInt32.max) else { throw FormatFault("the record is too long") }
        return try rewriter.rewrite(record, to: buffer)
    }

    /// The most bytes of an object for each byte of a record: `\u0001`.
    private static var growth: Int { 6 }

    /// Decodes the batch with objects in which every name is unique.
    @inline(never)
    private func decodeAgain(_ frames: [Frame], of bytes: ByteBuffer, into table: RowTable) -> [Frame] {
        var frames = frames
        for (row, outcome) in table.outcomes.enumerated() where outcome == .duplicated {
            let object = UnsafeBufferPointer(rebasing: bytes.filled[Int(frames[row].start)..<Int(frames[row].start + frames[row].count)])
            let unique = Self.unique(object)
            frames[row].start = UInt32(bytes.count)
            frames[row].count = UInt32(unique.count)
            unique.withFilled { bytes.append($0) }
        }
        table.clearRows()
        decoder.decode(frames, of: bytes.start, into: table)
        return frames
    }

    private static func unique(_ object: UnsafeBufferPointer<UInt8>) -> ByteBuffer {
        let buffer = ByteBuffer(capacity: object.count)
        JSONMembers.writeUnique(object, to: buffer)
        return buffer
    }
}
