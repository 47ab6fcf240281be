import Glibc

extension LineFile {
    /// Writes the record of a file at an offset: a JSON object that begins there, if it begins or
    /// ends inside a line, or else the line that contains the byte.
    ///
    /// Reads with the bounds of inputs (``BatchReader/Configuration/bound()``), so that offsets are
    /// those of a run. A long line is written in pieces, whatever its size.
    ///
    /// - Parameter offset: the offset in the decompressed text, as in dead letters.
    /// - Returns: false if the offset is beyond the end.
    package static func writeRecord(
        of path: String, at offset: UInt64, _ write: (UnsafeBufferPointer<UInt8>) -> Void
    ) throws(RunError) -> Bool {
        let scratch = ScratchFolder(of: "show")
        defer { scratch.remove() }
        do throws(InputError) {
            let reader = try textReader(of: path, scratch: scratch)
            while let batch = try reader.next() {
                defer { for record in batch.spilled { unlink(record.spill) } }
                guard batch.end.offset > offset else { continue }
                if let long = batch.spilled.last(where: { $0.position.offset <= offset && offset <= $0.position.offset + $0.byteCount }) {
                    try self.write(long, from: offset - long.position.offset, write)
                    return true
                }
                guard let record = try record(in: batch, at: Int(clamping: offset - min(offset, batch.offset)), of: reader) else { return false }
                record.withUnsafeBufferPointer(write)
                return true
            }
            return false
        } catch {
            throw .input(error)
        }
    }

    private static func record(in batch: Batch, at place: Int, of reader: any InputReader) throws(InputError) -> [UInt8]? {
        guard let frame = batch.frames.last(where: { Int($0.start) <= place }) else { return nil }
        let line = Array(UnsafeBufferPointer(start: batch.bytes.start + Int(frame.start), count: Int(frame.count)))
        let isLineStart = place == Int(frame.start)
        guard let object = try object(in: batch, at: place, of: reader), !isLineStart || object.count > line.count else { return line }
        return object
    }

    /// Writes a long line, or the object that begins inside it.
    private static func write(_ long: SpilledRecord, from place: UInt64, _ write: (UnsafeBufferPointer<UInt8>) -> Void) throws(InputError) {
        if place > 0, let object = try object(in: long, at: place) { return object.withUnsafeBufferPointer(write) }
        let spill = try SpillReader(long)
        while let piece = try spill.nextBytes() { piece.withFilled(write) }
    }

    private static func object(in long: SpilledRecord, at place: UInt64) throws(InputError) -> [UInt8]? {
        let spill = try SpillReader(long)
        var before = place
        var scan = JSONValueScan()
        var object: [UInt8] = []
        while let piece = try spill.nextBytes() {
            let start = Int(min(before, UInt64(piece.count)))
            before -= UInt64(start)
            guard start < piece.count else { continue }
            if object.isEmpty, piece.start[start] != UInt8(ascii: "{") { return nil }
            let base = UnsafePointer(piece.start)
            switch scan.advance(base + start, base + piece.count) {
            case .end(let end): return object + UnsafeBufferPointer(start: base + start, count: end - base - start)
            case .fault: return nil
            case .more: object += UnsafeBufferPointer(start: base + start, count: piece.count - start)
            }
            guard object.count < 1 << 30 else { return nil }
        }
        return nil
    }

    /// - Parameter path: of a file, or of a file in an archive.
    private static func textReader(of path: String, scratch: ScratchFolder) throws(InputError) -> any InputReader {
        var configuration = BatchReader.Configuration(scratch: scratch)
        configuration.bound()
        configuration.mostRaw = .max
        let buffers = BufferPool(capacity: Batch.targetBytes, most: 2)
        guard let archive = Archive.path(in: path) else {
            return try BatchReader(try InputFiles.expand([path])[0], index: 0, configuration: configuration, buffers: buffers)
        }
        let file = InputFile(path: archive)
        return try ArchiveReader(
            file, of: try InputDescriptor(file), as: Archive(), index: 0, configuration: configuration, buffers: buffers, only: path)
    }

    /// The JSON object that begins in a batch and may end in a later one.
    private static func object(in batch: Batch, at place: Int, of reader: any InputReader) throws(InputError) -> [UInt8]? {
        guard place < batch.bytes.count, batch.bytes.start[place] == UInt8(ascii: "{") else { return nil }
        var (batch, place) = (batch, place)
        var scan = JSONValueScan()
        var object: [UInt8] = []
        while true {
            let base = UnsafePointer(batch.bytes.start)
            switch scan.advance(base + place, base + batch.bytes.count) {
            case .end(let end): return object + UnsafeBufferPointer(start: base + place, count: end - base - place)
            case .fault: return nil
            case .more: object += UnsafeBufferPointer(start: base + place, count: batch.bytes.count - place)
            }
            guard object.count < 1 << 30, let next = try reader.next() else { return nil }
            (batch, place) = (next, 0)
        }
    }
}
