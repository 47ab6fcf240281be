/// Member names, escaped once, with comma and colon: `,"status":`. They share one array, so that
/// writing a key touches no reference count.
struct JSONKeys: Sendable {
    struct Place: BitwiseCopyable, Sendable {
        var start: UInt32
        var count: UInt32
    }

    /// The last 32 are padding: short keys are copied as 32 bytes.
    private var bytes = [UInt8](repeating: 0, count: Self.block)
    private static let block = 32

    mutating func add(_ name: String) -> Place {
        let buffer = ByteBuffer(capacity: name.utf8.count + 4)
        buffer.append(UInt8(ascii: ","))
        JSONText.write(name, to: buffer)
        buffer.append(UInt8(ascii: ":"))
        let end = bytes.count - Self.block
        let place = Place(start: UInt32(end), count: UInt32(buffer.count))
        withExtendedLifetime(buffer) { bytes.insert(contentsOf: buffer.filled, at: end) }
        return place
    }

    func withText<Result>(_ body: (Text) -> Result) -> Result {
        bytes.withUnsafeBufferPointer { body(Text(start: $0.baseAddress)) }
    }

    /// Unsafe memory: reads the keys' bytes while ``withText(_:)`` runs, at places that ``add(_:)``
    /// returned.
    struct Text {
        fileprivate let start: UnsafePointer<UInt8>?

        @inline(__always)
        func write(_ key: Place, comma: Bool, to buffer: ByteBuffer) {
            let skipped = comma ? 0 : 1
            guard let start else { return }
            let (source, count) = (start + Int(key.start) + skipped, Int(key.count) - skipped)
            buffer.reserve(count + JSONKeys.block)
            let target = buffer.start + buffer.count
            // Most keys are short: a block of a fixed size is copied without a call.
            if count <= JSONKeys.block {
                UnsafeMutableRawPointer(target).copyMemory(from: source, byteCount: JSONKeys.block)
            } else {
                target.update(from: source, count: count)
            }
            buffer.count += count
        }
    }
}
