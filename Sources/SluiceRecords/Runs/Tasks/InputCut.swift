import Glibc

/// A place inside an input where one task ends and another begins: between two batches.
package struct InputCut: Codable, Sendable, Equatable {
    /// The number of bytes of the input that were read there.
    var position: UInt64
    /// Where the reader of a whole run is there. Nothing else decides what it gives from there on,
    /// so the next task gives that, too: line numbers, headers, damage and the ends of batches.
    var state: ReaderState

    /// The number of batches before it.
    var batches: Int { state.delivered }
}

extension RecordPipeline {
    /// Divides a large input into pieces of about `size` bytes before decompression, by reading it
    /// once, without decoding its records.
    ///
    /// Stops early if it has no places where decompression can begin.
    ///
    /// - Returns: the places between two pieces; none if it cannot be divided.
    package func cuts(of file: InputFile, every size: UInt64) throws(InputError) -> [InputCut] {
        guard let whole = file.size, whole > size, obstacleToCuts == nil else { return [] }
        let batchBytes = Batch.targetBytes(within: limits.memory)
        let buffers = BufferPool(capacity: batchBytes + 4096, most: 2)
        let bytes = try source.source.open(file, at: 0)
        defer { bytes.close() }
        let scratch = ScratchFolder(of: "plan")
        defer { scratch.remove() }
        var configuration = BatchReader.Configuration(scratch: scratch)
        configuration.read(as: source)
        configuration.mostRecords = flow.mostRecords
        configuration.batchBytes = batchBytes
        let reader: BatchReader
        do throws(InputError) {
            reader = try BatchReader(file, of: bytes, index: 0, configuration: configuration, buffers: buffers)
        } catch {
            // The task that reads it will say so, as a run does.
            return []
        }
        defer { reader.close() }
        var cuts: [InputCut] = []
        var hasPoints = false
        while let batch = try Self.next(of: reader) {
            buffers.give(batch.bytes)
            for record in batch.spilled { unlink(record.spill) }
            let position = batch.compressedBytesRead
            let state = batch.readerState.flatMap { $0.point.position > 0 && batch.end.offset - $0.point.text <= Self.mostReadAgain ? $0 : nil }
            hasPoints = hasPoints || state != nil
            if !hasPoints, position > Self.mostWithoutPoints { break }
            if whole < position + size / 2 { break }
            if let state, position >= (cuts.last?.position ?? 0) + size { cuts.append(InputCut(position: position, state: state)) }
        }
        return cuts
    }

    /// - Returns: `nil` at the end, or at damage that ends a run: the task that reads it will say
    ///   so.
    /// - Throws: if a long record cannot be set down.
    private static func next(of reader: BatchReader) throws(InputError) -> Batch? {
        do throws(InputError) {
            return try reader.next()
        } catch {
            guard case .damaged = error else { throw error }
            return nil
        }
    }

    /// How much text a task may read that belongs to the piece before its own.
    private static var mostReadAgain: UInt64 { 16 << 20 }
    /// How much of an input is read in vain.
    private static var mostWithoutPoints: UInt64 { 64 << 20 }

    /// Why no input can be divided into pieces, as part of a sentence.
    package var obstacleToCuts: String? {
        if source.archive != nil { return "an archive is read from its beginning" }
        if source.encoding != .utf8 { return "its encoding is not UTF-8" }
        if source.onDamage == .setAside { return "'on_damage: set_aside' needs all of a member before any of it" }
        if case .documents = source.framing { return "JSON documents are read from their beginning" }
        return nil
    }
}
