import Glibc

/// Reads an oversized record back from its spill file, as the contents of a JSON string.
final class SpillReader {
    private let record: SpilledRecord
    private let descriptor: InputDescriptor
    private let text: GzipText
    /// Bytes read but not yet returned.
    private let pending = ByteBuffer(capacity: 256 << 10)
    /// The number of bytes to read.
    private var left: Int

    init(_ record: SpilledRecord) throws(InputError) {
        self.record = record
        left = record.kept ?? .max
        let descriptor = try InputDescriptor(InputFile(path: record.spill))
        self.descriptor = descriptor
        text = GzipText(window: InputWindow { descriptor.read(into: $0) }, library: .preferred, size: descriptor.size)
    }

    /// The first bytes of the record, unescaped, at most 256 KiB.
    func beginning() throws(InputError) -> ByteBuffer {
        _ = try fill()
        return pending
    }

    /// The next piece, about 256 KiB of the record: escaped, or in base64 if the record is not
    /// UTF-8. `nil` at the end.
    func next() throws(InputError) -> ByteBuffer? {
        let isLast = try fill()
        guard pending.count > 0 else { return nil }
        let count = isLast ? pending.count : wholeCount
        let piece = UnsafeBufferPointer(rebasing: pending.filled[..<count])
        let written = ByteBuffer(capacity: 2 * count + 64)
        if record.isUTF8 {
            JSONText.writeEscaped(piece, to: written)
        } else {
            JSONText.writeBase64Digits(piece, to: written)
        }
        let rest = pending.count - count
        pending.start.update(from: pending.start + count, count: rest)
        pending.count = rest
        return written
    }

    /// The next 256 KiB of the record as they are; `nil` at the end.
    func nextBytes() throws(InputError) -> ByteBuffer? {
        _ = try fill()
        guard pending.count > 0 else { return nil }
        let piece = ByteBuffer(capacity: pending.count)
        piece.append(pending.filled)
        pending.count = 0
        return piece
    }

    /// The number of pending bytes that end between two characters, or two groups of base64.
    private var wholeCount: Int {
        guard record.isUTF8 else { return pending.count / 3 * 3 }
        var count = pending.count
        while count > 0, pending.count - count < 3, pending.start[count - 1] & 0xC0 == 0x80 { count -= 1 }
        return count > 0 && pending.start[count - 1] >= 0xC0 ? count - 1 : pending.count
    }

    /// - Returns: whether the end of the record was reached.
    private func fill() throws(InputError) -> Bool {
        while pending.count < pending.capacity {
            guard left > 0 else { return true }
            let step = text.read(into: pending.start + pending.count, room: min(pending.capacity - pending.count, left))
            pending.count += step.count
            left -= step.count
            switch step.event {
            case .end: return true
            case .damage: throw .spill(path: record.spill, reason: "it was changed or truncated during the run")
            case .member, nil: break
            }
        }
        return false
    }

    /// Deletes the spill file.
    func remove() {
        descriptor.close()
        unlink(record.spill)
    }
}
