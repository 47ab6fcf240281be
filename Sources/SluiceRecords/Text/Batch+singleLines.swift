extension Batch {
    /// The records without white space outside of strings, if some of them have line feeds there.
    /// Each is then one line, as whatever is written line by line needs it. Records with a fault
    /// stay as they are.
    func onSingleLines() -> (bytes: ByteBuffer, frames: [Frame])? {
        guard spansLines else { return nil }
        let compact = ByteBuffer(capacity: bytes.count)
        let faulty = Set(faults.map(\.start))
        let frames = frames.map { frame in
            let text = UnsafeBufferPointer(rebasing: bytes.filled[Int(frame.start)..<Int(frame.start + frame.count)])
            let start = compact.count
            if faulty.contains(frame.start) { compact.append(text) } else { JSONText.appendCompact(text, to: compact) }
            return Frame(start: UInt32(start), count: UInt32(compact.count - start), lineDelta: frame.lineDelta)
        }
        return (compact, frames)
    }
}

extension JSONText {
    /// Appends valid JSON, without white space outside of strings if there are line feeds in it.
    static func appendCompact(_ text: UnsafeBufferPointer<UInt8>, to buffer: ByteBuffer) {
        guard text.contains(0x0A) else { return buffer.append(text) }
        buffer.reserve(text.count)
        let target = buffer.start + buffer.count
        var (count, isInString, isEscaped) = (0, false, false)
        for byte in text {
            if isInString {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isInString = false
                }
            } else if byte == UInt8(ascii: "\"") {
                isInString = true
            } else if byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D {
                continue
            }
            target[count] = byte
            count += 1
        }
        buffer.count += count
    }
}
